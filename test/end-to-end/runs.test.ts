import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { predictionsOf, writeRunFolder } from '../../packages/train/test/support/run-folders.ts';
import { WorkFolder } from './command-line.ts';

/** Two variants with two seeds and two folds each; `no-ma` is worse by far, one of its runs is not finished. */
const place = new WorkFolder();
const ids = (fold: string): string[] => Array.from({ length: 40 }, (_, i) => `demo/${fold}_${i}`);
const truth = Array.from({ length: 40 }, (_, i) => i % 4);
const finished: string[] = [];

beforeAll(() => {
  for (const seed of [1, 2])
    for (const fold of ['Ses01', 'Ses02'])
      for (const [variant, wrong] of [
        ['full', 4],
        ['no-ma', 24],
      ] as const) {
        const guesses = truth.map((label, i) => ((i + seed) % 40 < wrong ? (label + 1) % 4 : label));
        const predictions = predictionsOf(ids(fold), truth, guesses);
        const config = { 'ma.alpha': variant === 'full' ? 0.99 : 0 };
        finished.push(writeRunFolder(place.path('runs'), { variant, seed, fold, config, predictions }));
      }
  writeRunFolder(place.path('runs'), { variant: 'no-ma', seed: 3, config: { 'ma.alpha': 0 } });
});
afterAll(() => place.remove());

describe('finished runs', () => {
  it('are listed by variant, with what is missing', async () => {
    const { code, out } = await place.run('runs', 'list', '--sort', 'ua');
    expect(code).toBe(0);
    expect(out).toMatch(/^full +\w{6} +2 x 2 +4 of 4 +90\.0 ± 0\.0/m);
    expect(out).toMatch(/^no-ma +\w{6} +3 x 2 +4 of 6 .*2 of 3 seeds complete$/m);
    expect(out).toContain('! no-ma: seed 3 is left out, it lacks Ses01 (at epoch 12 of 50), Ses02 (no run)');
  });

  it('are compared; dialogues must be known', async () => {
    const without = await place.run('compare', 'full', 'no-ma');
    expect(without.code).toBe(2);
    expect(without.err).toContain('which utterances make a dialogue, the manifest of demo knows');
    const { code, out } = await place.run('compare', 'full', 'no-ma', '--unit', 'utterance', '--score', 'wa');
    expect(code).toBe(0);
    expect(out).toContain(
      'no-ma is below full in WA (pooled): -50.00 points, 95 % interval (iid, too narrow)',
    );
    const named = await place.run('compare', 'full', 'nome', '--unit', 'utterance');
    expect(named.code).toBe(2);
    expect(named.err).toContain("no row 'nome'; the nearest is no-ma");
  });

  it('become one tidy table, or all predictions', async () => {
    const { code, err } = await place.run('runs', 'export', '--select', 'last', '--out', 'runs.csv');
    expect(err).toContain('runs.csv: 32 lines');
    expect(code).toBe(0);
    const [head, ...lines] = readFileSync(place.path('runs.csv'), 'utf8').trimEnd().split('\n');
    expect(head?.split(',').slice(4, 7)).toEqual(['run', 'fold', 'seed']);
    expect(head).toContain('config.ma.alpha');
    expect(new Set(lines.map((line) => line.split(',')[4]))).toEqual(new Set(finished));
    const all = await place.run('runs', 'export', 'full', '--predictions', '--select', 'last');
    expect(all.out.trimEnd().split('\n')).toHaveLength(1 + 4 * 40);
  });

  it('go to the trash when asked, but not what may be running', async () => {
    const nobody = await place.run('runs', 'delete', 'no-ma');
    expect(nobody.code).toBe(2);
    expect(nobody.err).toContain('nobody is there to be asked');
    const { code, err } = await place.run('runs', 'delete', 'no-ma', '--yes');
    expect(code).toBe(0);
    expect(err).toContain('let be, it wrote within 30 minutes');
    expect(err).toContain('4 runs lie in');
    expect(existsSync(place.path('runs', 'demo', 'trash'))).toBe(true);
    const { out } = await place.run('runs', 'list');
    expect(out).toMatch(/^no-ma +\w{6} +1 x 2 +0 of 2 /m);
  });

  it('say 2600 of 2610 wherever test clips were dropped, and keep all where they count as wrong', async () => {
    const answered = Array.from({ length: 2600 }, (_, i) => `meld/test/u${i}`);
    const missingTest = Array.from({ length: 10 }, (_, i) => ({
      id: `meld/test/gone${i}`,
      reason: 'no wavlm-large (quarantined: corrupt)',
    }));
    const labels = answered.map((_, i) => i % 4);
    for (const variant of ['full', 'text'])
      for (const seed of [1, 2])
        writeRunFolder(place.path('runs'), {
          dataset: 'meld',
          variant,
          seed,
          fold: 'test',
          config: { variant },
          predictions: predictionsOf(answered, labels, labels),
          missingTest,
        });
    const run = (...args: string[]) => place.run(...args, '--dataset', 'meld');
    const unit = ['--unit', 'utterance', '--draws', '100'];
    const stopped = await run('compare', 'full', 'text', ...unit);
    expect(stopped.code).toBe(2);
    expect(stopped.err).toContain(
      '10 of 2610 test utterances lack a feature (first meld/test/gone0: no wavlm-large',
    );
    const list = await run('runs', 'list');
    const compared = await run('compare', 'full', 'text', '--missing', 'drop', ...unit);
    for (const { out } of [list, compared]) {
      expect(out).toMatch(/^full .*2600 of 2610/m);
      expect(out).toContain('! full: NOT COMPARABLE, 2600 of 2610 test utterances evaluated');
    }
    const csv = (await run('runs', 'export', '--select', 'last')).out.split('\n');
    expect(csv[1]).toContain(',drop,wa,1,2600,2610,');
    // counting them as wrong takes their classes, which the manifest knows
    const wrong = await run('runs', 'list', '--missing', 'wrong');
    expect(wrong.err).toContain(
      'meld/test/gone0 has no feature, and its class is not known without the manifest',
    );
    const parquet = await run('runs', 'export', '--out', 'runs.parquet');
    expect(parquet.err).toContain('runs.parquet: 16 lines');
    expect(readFileSync(place.path('runs.parquet')).subarray(0, 4).toString()).toBe('PAR1');
  });
});
