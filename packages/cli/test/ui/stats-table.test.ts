import type { PredictedCost } from '@lsgmer/datasets';
import { describe, expect, it } from 'vitest';
import { costCells, costNote, statsText } from '../../src/ui/stats-table.ts';
import { costs, figures } from './stats-figures.ts';

describe('statsText', () => {
  const text = statsText('mine', figures, costs);

  it('heads with totals and what is outside the task', () => {
    expect(text.split('\n').slice(0, 3)).toEqual([
      'mine: 100 utterances, 90 with a label, 15 speakers, 4 dialogues',
      '4 min 10 s of sound in 99 recordings',
      'task 4class: 80 utterances; outside: xxx 10, (none) 10',
    ]);
    expect(statsText('mine', { ...figures, withSeconds: 0 }, costs)).toContain(
      'lengths of recordings are not known (manifest build --media headers)',
    );
  });

  it('crosses classes with sums on both sides', () => {
    expect(text).toMatch(/Ses01\s+40\s+5\s+45\n/);
    expect(text).toMatch(/all\s+60\s+20\s+80\n/);
  });

  it('draws bars to scale, sums up what is over a dozen, and leaves out fields of one value', () => {
    expect(text).toMatch(/neu<tral>\s+60\s+60\.0 %\s+2 min 30 s {2}#{24}\n/);
    expect(text).toMatch(/angry\s+20\s+20\.0 %\s+50 s {2}#{8}\n/);
    expect(text).toMatch(/3 others\s+21\s/);
    expect(text).not.toMatch(/^split/m);
  });

  it('describes distributions', () => {
    expect(text).toContain(
      'duration of recordings: 99 recordings, min 0.50, mean 2.50, p50 2.00, p95 5.00, p99 6.00, max 30.00 s',
    );
    expect(text).toMatch(/1 to 2\s+80\s+#{24}\n/);
    expect(text).toMatch(/3 and more\s+9\n/);
  });

  it('calls predictions what they are', () => {
    expect(costCells('paper', costs['paper']?.[0] as PredictedCost)).toEqual([
      'paper',
      'wavlm-large',
      '1024',
      '99',
      '12450',
      '25.5 MB',
      'about 58 s',
    ]);
    expect(text).toMatch(/Times are estimates from one machine/);
    const annotated = { paper: [{ ...(costs['paper']?.[0] as PredictedCost), annotated: 7 }] };
    expect(costNote(annotated)).toMatch(/Lengths of 7 recordings that were not read are the annotated ones/);
    expect(costNote(costs)).not.toMatch(/annotated/);
  });
});
