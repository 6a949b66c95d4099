import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silent } from '@lsgmer/datasets';
import { mean, score, standardDeviation } from '../../src/evaluate/metrics.ts';
import { folderOf, pendingRuns, runExperiment } from '../../src/index.ts';
import { planExperiment } from '../../src/experiment/plan.ts';
import type { ExperimentRequest } from '../../src/experiment/request.ts';
import type { ExperimentResult } from '../../src/experiment/result.ts';
import { decodePredictions } from '../../src/record/predictions.ts';
import {
  classes,
  devFolds,
  folds,
  rows,
  tinyRequest,
  tinySources,
  TinyFactory,
} from '../support/tiny-experiment.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lsgmer-experiment-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const context = { reporter: silent, now: () => 0 };
const run = (request: ExperimentRequest): Promise<ExperimentResult> =>
  runExperiment(planExperiment(request), context);

describe('runExperiment', () => {
  it('sums up folds and seeds as its predictions say', async () => {
    const request = tinyRequest(root, { folds, seeds: [1, 2, 3], set: { epochs: 4 } });
    const plan = planExperiment(request);
    const result = await runExperiment(plan, context);
    expect(result).toMatchObject({
      dataset: 'demo',
      synthetic: true,
      task: '3class',
      select: 'last',
      metric: 'ua',
    });
    const [variant] = result.variants;
    expect(variant?.coverage).toMatchObject({ rule: 'error', evaluated: 90, expected: 90, comparable: true });
    for (const [s, seed] of (variant?.seeds ?? []).entries()) {
      const predictions = folds.map((_, f) => {
        const folder = folderOf(request, plan.variants[0]?.runs[s * 3 + f] as never);
        return decodePredictions(folder.predictions().text, classes, 'predictions.csv');
      });
      const metrics = predictions.map((fold) =>
        score(
          fold.map((p) => p.label),
          fold.map((p) => p.prediction),
          3,
        ),
      );
      expect(seed.folds.map((fold) => fold.scores.ua)).toEqual(metrics.map((m) => m.ua));
      expect(seed.overFolds.mean.ua).toBeCloseTo(mean(metrics.map((m) => m.ua)), 12);
      expect(seed.overFolds.sd?.wf1).toBeCloseTo(standardDeviation(metrics.map((m) => m.wf1)), 12);
      const all = predictions.flat();
      expect(all.map((p) => p.id).sort()).toEqual(rows.map((row) => row.id));
      const pooled = score(
        all.map((p) => p.label),
        all.map((p) => p.prediction),
        3,
      );
      expect(seed.pooled.confusion).toEqual(pooled.confusion);
      expect(seed.pooled.scores).toEqual({ wa: pooled.wa, ua: pooled.ua, wf1: pooled.wf1, mf1: pooled.mf1 });
      expect(seed.pooled).toMatchObject({ evaluated: 90, expected: 90 });
    }
    const pooled = variant?.seeds.map((seed) => seed.pooled.scores.wa) ?? [];
    expect(variant?.overSeeds.pooled.mean.wa).toBeCloseTo(mean(pooled), 12);
    expect(variant?.overSeeds.pooled.sd?.wa).toBeCloseTo(standardDeviation(pooled), 12);
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });

  it('leaves a pin of each run in the stores of its features, and in none that cannot be written', async () => {
    const [store, absent] = [join(root, 'store'), join(root, 'absent')];
    mkdirSync(join(store, 'demo'), { recursive: true });
    const request = { ...tinyRequest(join(root, 'runs')), stores: [absent, store] };
    const plan = planExperiment(request);
    const pins = plan.variants.flatMap(({ runs }) => runs.map(({ id }) => `${id}.json`));
    for (const round of ['trained', 'finished already']) {
      await runExperiment(plan, context);
      expect(readdirSync(join(store, 'demo', 'pins')).sort(), round).toEqual([...pins].sort());
      const pin = JSON.parse(readFileSync(join(store, 'demo', 'pins', pins[0] as string), 'utf8')) as object;
      const used = Object.values(plan.variants[0]?.runs[0]?.identity.features ?? {});
      expect(used.length).toBeGreaterThan(0);
      expect(pin).toEqual({
        format: 1,
        run: plan.variants[0]?.runs[0]?.id,
        fingerprints: Object.fromEntries(used.map((one) => [one.feature, one.fingerprint])),
      });
      rmSync(join(store, 'demo', 'pins'), { recursive: true });
    }
    expect(existsSync(absent)).toBe(false);
  });

  it('recognises finished runs and skips them, with the same result', async () => {
    const variants = { full: {}, audio: { modality: 'audio' } };
    const first = await run(tinyRequest(root, { folds, variants }));
    const engine = new TinyFactory();
    const again = await run(tinyRequest(root, { folds, variants, engine }));
    expect(engine.engines).toHaveLength(0);
    const skipped = (result: ExperimentResult): boolean[] =>
      result.variants.flatMap((v) => v.seeds.flatMap((s) => s.folds.map((f) => f.skipped)));
    expect(skipped(first)).toEqual(Array(6).fill(false));
    expect(skipped(again)).toEqual(Array(6).fill(true));
    const plain = (result: ExperimentResult): string =>
      JSON.stringify(result).replaceAll('"skipped":true', '"skipped":false');
    expect(plain(again)).toBe(plain(first));
    expect(pendingRuns(planExperiment(tinyRequest(root, { folds, variants })))).toEqual([]);
  });

  it('makes no table of predictions that were cut off at a line', async () => {
    const request = tinyRequest(root);
    await run(request);
    const [id] = planExperiment(request).variants[0]?.runs.map((one) => one.id) ?? [];
    const path = join(root, 'demo', '3class', String(id), 'predictions.csv');
    writeFileSync(path, `${readFileSync(path, 'utf8').split('\n').slice(0, 11).join('\n')}\n`);
    await expect(run(request)).rejects.toThrow(/predictions\.csv: holds 10 predictions, expected 30; delete/);
  });

  it('one training serves all selection rules', async () => {
    const by = (select: 'last' | 'dev' | 'oracle-test') =>
      run(tinyRequest(root, { folds: devFolds, select, set: { epochs: 10, lr: 0.2 } }));
    const results = [await by('last'), await by('dev'), await by('oracle-test')];
    const seeds = results.map((result) => result.variants[0]?.seeds[0]);
    expect(results.map((result) => result.select)).toEqual(['last', 'dev', 'oracle-test']);
    for (const i of [0, 1, 2]) {
      const [last, dev, oracle] = seeds.map((seed) => seed?.folds[i]);
      expect([last?.skipped, dev?.skipped, oracle?.skipped]).toEqual([false, true, true]);
      expect([dev?.run, oracle?.run]).toEqual([last?.run, last?.run]);
      expect(last?.epoch).toBe(10);
      expect(oracle?.scores.ua).toBeGreaterThanOrEqual(Math.max(last?.scores.ua ?? 1, dev?.scores.ua ?? 1));
    }
    // a run without the dev rows in training is another one
    const whole = await run(tinyRequest(root, { folds, set: { epochs: 10, lr: 0.2 } }));
    expect(whole.variants[0]?.seeds[0]?.folds[0]?.run).not.toBe(seeds[0]?.folds[0]?.run);
  });

  it('uses one engine a variant and disposes it', async () => {
    const engine = new TinyFactory();
    await run(
      tinyRequest(root, { folds, seeds: [1, 2], variants: { full: {}, text: { modality: 'text' } }, engine }),
    );
    expect(engine.engines).toHaveLength(2);
    expect(engine.engines.every((one) => one.disposed)).toBe(true);
    expect(engine.engines[0]?.shapes.size).toBeLessThanOrEqual(3);
  });

  it('counts missing test utterances as errors, or drops them in sight', async () => {
    const sources = tinySources();
    const missing = [0, 1, 4].map((i) => rows[i]?.id as string); // two in the test part of Ses01, one in training
    for (const id of missing) sources.audio.rows.delete(id);
    const warnings: string[] = [];
    const reporter = { ...silent, warn: (line: string) => void warnings.push(line) };
    const by = async (rule: 'wrong' | 'drop') => {
      const plan = planExperiment(tinyRequest(root, { sources, missing: rule }));
      return (await runExperiment(plan, { ...context, reporter })).variants[0];
    };
    const wrong = await by('wrong');
    expect(wrong?.coverage).toMatchObject({ evaluated: 30, expected: 30, comparable: true });
    expect(wrong?.coverage.missingTest.map((m) => m.id)).toEqual(missing.slice(0, 2));
    expect(wrong?.coverage.missingTrain.map((m) => m.id)).toEqual(missing.slice(2));
    expect(wrong?.seeds[0]?.pooled.unanswered).toEqual([1, 1, 0]);
    const drop = await by('drop');
    expect(drop?.coverage).toMatchObject({ evaluated: 28, expected: 30, comparable: false });
    expect(drop?.seeds[0]?.folds[0]).toMatchObject({ evaluated: 28, expected: 30 });
    // the same run serves both rules
    expect([wrong, drop].map((variant) => variant?.seeds[0]?.folds[0]?.skipped)).toEqual([false, true]);
    const right = (variant: typeof wrong): number =>
      variant?.seeds[0]?.pooled.confusion.reduce((sum, row, k) => sum + (row[k] as number), 0) as number;
    expect(right(drop)).toBe(right(wrong));
    expect(warnings[0]).toBe(
      'variant full: 1 training or dev utterances lack a feature and are left out: demo/u004: no frames',
    );
  });

  it('records configuration, identity, coverage and environment beside the result', async () => {
    await run(tinyRequest(root));
    const [id] = readdirSync(join(root, 'demo', '3class'));
    const config = JSON.parse(
      readFileSync(join(root, 'demo', '3class', id as string, 'config.json'), 'utf8'),
    ) as {
      [key: string]: { [key: string]: unknown };
    };
    expect(config).toMatchObject({ run: id, variant: 'full', environment: { node: 'test' }, protocol: null });
    expect(config['identity']).toMatchObject({
      seed: 1,
      fold: 'Ses01',
      config: { epochs: 3, lr: 0.02, apc: 0.1 },
    });
    expect(config['coverage']).toEqual({ expected: 30, missingTest: [], missingTrain: [], missingDev: [] });
  });
});
