import { describe, expect, it } from 'vitest';
import type { FeatureSources, Joined } from '../../src/batches/source.ts';
import type { Prediction } from '../../src/evaluate/predict.ts';
import { missingGrid, without } from '../../src/trained/missing-grid.ts';
import { MemorySource, utterances } from '../support/memory-source.ts';

const rows = utterances(400, 2);
const joined: Joined = {
  rows,
  lengths: rows.map(() => ({ text: 5, audio: 50, map: 4 })),
  missing: [],
  masked: [],
};
const sources: FeatureSources = {
  text: new MemorySource('text', 2, [], [1, 2]),
  audio: new MemorySource('audio', 2, [], [1, 2]),
};
/** Right as long as the text is there; with sound alone always of class 0; with neither always of class 1. */
const scorer = {
  sources,
  score: (given: Joined): Promise<Prediction[]> =>
    Promise.resolve(
      given.rows.map(({ id, label }, i) => {
        const { text, audio, map } = given.lengths[i] as Joined['lengths'][number];
        expect(map > 0).toBe(audio > 0);
        const prediction = text > 0 ? label : audio > 0 ? 0 : 1;
        return { id, label, prediction, probabilities: [] };
      }),
    ),
};

describe('missingGrid', () => {
  it('takes modalities away by rule and by rate, the same ones for the same seed', async () => {
    const grid = await missingGrid(scorer, joined, { classes: 2, seed: 1 });
    expect(grid.map((row) => row.condition)).toEqual([
      'whole',
      'no text',
      'no audio',
      ...[10, 20, 30, 40, 50, 60, 70, 80, 90].map((rate) => `${rate} % missing`),
    ]);
    expect(grid[0]).toMatchObject({ withoutText: 0, withoutAudio: 0, withoutBoth: 0, scores: { wa: 1 } });
    expect(grid[1]).toMatchObject({ withoutText: 400, withoutAudio: 0, scores: { wa: 0.5 } });
    expect(grid[2]).toMatchObject({ withoutText: 0, withoutAudio: 400, scores: { wa: 1 } });
    for (const row of grid.slice(3)) {
      const rate = row.rate as number;
      // four standard deviations of a binomial
      const near = (count: number, p: number) =>
        expect(Math.abs(count - 400 * p)).toBeLessThan(4 * Math.sqrt(400 * p * (1 - p)));
      near(row.withoutText, rate);
      near(row.withoutAudio, rate);
      near(row.withoutBoth, rate * rate);
    }
    const wa = grid.slice(3).map((row) => row.scores.wa);
    expect(wa).toEqual([...wa].sort((a, b) => b - a)); // what is missing at one rate is missing at the next
    expect(await missingGrid(scorer, joined, { classes: 2, seed: 1 })).toEqual(grid);
    expect(await missingGrid(scorer, joined, { classes: 2, seed: 2 })).not.toEqual(grid);
  });

  it('is refused where a head reads one modality', async () => {
    const { text } = sources;
    if (text === undefined) throw new Error('no text');
    await expect(
      missingGrid({ ...scorer, sources: { text } }, joined, { classes: 2, seed: 1 }),
    ).rejects.toThrow(/reads both text and audio/);
  });

  it('leaves the utterances as they are', () => {
    const less = without(joined, [{ text: true, audio: false }]);
    expect(less.lengths.slice(0, 2)).toEqual([
      { text: 0, audio: 50, map: 4 },
      { text: 5, audio: 50, map: 4 },
    ]);
    expect(less.rows).toBe(joined.rows);
  });
});
