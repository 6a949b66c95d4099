import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silent } from '@lsgmer/datasets';
import { configure } from '../../src/config/configuration.ts';
import { runExperiment, runSweep } from '../../src/experiment/experiment.ts';
import { planExperiment } from '../../src/experiment/plan.ts';
import type { ExperimentRequest } from '../../src/experiment/request.ts';
import type { Trial } from '../../src/experiment/sweep.ts';
import { readCatalogue } from '../../src/catalogue/catalogue.ts';
import { parseEpochs } from '../../src/record/run-state.ts';
import { devFolds, folds, tinyRequest, TinyFactory } from '../support/tiny-experiment.ts';
import { tinyHead } from '../support/tiny-head.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lsgmer-sweep-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const context = { reporter: silent, now: () => 0 };
const base = { epochs: 4, 'batch.size': 8, 'batch.shapes': 3 };
const trials = [1e-6, 0.05, 0.3].map((lr): Trial => ({
  settings: { lr },
  configuration: configure(tinyHead, [{ from: 'test', set: { ...base, lr } }]),
}));

/** Records of every run below the root. */
function records(runs: string) {
  const folder = join(runs, 'demo', '3class');
  const ids = readdirSync(folder).filter((name) => /^[0-9a-f]{12}$/.test(name));
  return ids.map((id) => {
    const read = (name: string): string => readFileSync(join(folder, id, name), 'utf8');
    const config = JSON.parse(read('config.json')) as {
      role?: string;
      identity: { fold: string; seed: number; config: { lr: number } };
    };
    return {
      id,
      ...config,
      epochs: parseEpochs(read('metrics.jsonl'), id),
      files: readdirSync(join(folder, id)),
    };
  });
}

describe('runSweep', () => {
  it('tries everything without a test part, and tests what is best on dev, fold by fold', async () => {
    const request = { ...tinyRequest(root, { folds: devFolds, seeds: [1, 2] }), select: 'dev' as const };
    const result = await runSweep(request, { trials: [trials] }, context);
    const all = records(root);
    const tried = all.filter((one) => one.role === 'trial');
    expect(tried).toHaveLength(3 * 3 * 2);
    for (const { epochs, files } of tried) {
      expect(epochs.every((one) => one.test === null && one.dev !== null)).toBe(true);
      expect(files.filter((name) => name.startsWith('predictions'))).toEqual([]);
    }
    const [variant] = result.variants;
    expect(variant?.sweep?.tried).toBe(3);
    for (const { fold, settings, score } of variant?.sweep?.chosen ?? []) {
      const means = trials.map(({ settings: { lr } }) => {
        const own = tried.filter((one) => one.identity.fold === fold && one.identity.config.lr === lr);
        const best = own.map(({ epochs }) => Math.max(...epochs.map((one) => one.dev?.ua as number)));
        expect(best).toHaveLength(2);
        return best.reduce((a, b) => a + b, 0) / best.length;
      });
      const top = Math.max(...means);
      expect(score, fold).toBeCloseTo(top, 12);
      expect(settings['lr'], fold).toBe(trials[means.indexOf(top)]?.settings['lr']);
      // only that one saw the fold's test part
      const tested = all.filter((one) => one.role === undefined && one.identity.fold === fold);
      expect(new Set(tested.map((one) => one.identity.config.lr))).toEqual(new Set([settings['lr']]));
      expect(tested).toHaveLength(2);
    }
    expect(variant?.seeds.map((seed) => seed.folds.map((one) => one.fold))).toEqual(
      [1, 2].map(() => devFolds.map((fold) => fold.id)),
    );
    expect(variant?.coverage).toMatchObject({ evaluated: 90, expected: 90 });
    const [record] = readdirSync(join(root, 'demo', '3class')).filter((name) => name.startsWith('sweep-'));
    const kept = JSON.parse(readFileSync(join(root, 'demo', '3class', record as string), 'utf8')) as object;
    expect(kept).toMatchObject({ variant: 'full', metric: 'ua', chosen: variant?.sweep?.chosen });
    const { entries, damaged } = readCatalogue(root);
    expect(damaged).toEqual([]);
    expect(entries).toHaveLength(all.length - tried.length);
    // again: nothing is trained
    const engine = new TinyFactory();
    await runSweep({ ...request, engine }, { trials: [trials] }, context);
    expect(engine.calls).toBe(0);
  });

  it('goes on where a trial diverges, and never chooses it', async () => {
    const trialOf = (lr: number): Trial => ({
      settings: { lr },
      configuration: configure(tinyHead, [{ from: 'test', set: { ...base, lr } }]),
    });
    const request = { ...tinyRequest(root, { folds: devFolds, seeds: [1] }), select: 'dev' as const };
    const warned: string[] = [];
    const reporter = { ...silent, warn: (text: string) => warned.push(text) };
    const wild = trialOf(1e35);
    const result = await runSweep(request, { trials: [[wild, trialOf(0.05)]] }, { ...context, reporter });
    expect(warned.filter((text) => /lr=1e\+35 Ses0\d seed 1: .*not finite|diverged/.test(text))).toHaveLength(
      3,
    );
    const [variant] = result.variants;
    expect(variant?.sweep?.tried).toBe(2);
    expect(variant?.sweep?.chosen.map(({ settings }) => settings['lr'])).toEqual([0.05, 0.05, 0.05]);
    const [record] = readdirSync(join(root, 'demo', '3class')).filter((name) => name.startsWith('sweep-'));
    const { tried } = JSON.parse(readFileSync(join(root, 'demo', '3class', record as string), 'utf8')) as {
      tried: { dev: (number | null)[] }[];
    };
    expect(tried[0]?.dev).toEqual([null, null, null]);
    await expect(runSweep(request, { trials: [[wild]] }, context)).rejects.toThrow(
      /every trial diverged on Ses01, Ses02, Ses03: try a lower lr/,
    );
  });

  it('needs dev parts, and never looks at the test part', async () => {
    const on = (request: ExperimentRequest) => runSweep(request, { trials: [trials] }, context);
    await expect(on({ ...tinyRequest(root, { folds }), select: 'last' })).rejects.toThrow(
      'a sweep is chosen on dev, and folds Ses01, Ses02, Ses03 have no dev part: carve one with --dev session',
    );
    await expect(on({ ...tinyRequest(root, { folds: devFolds }), select: 'oracle-test' })).rejects.toThrow(
      'a sweep is chosen on dev, never on test: --select dev or last',
    );
  });
});

describe('refit', () => {
  it('trains on train and dev for the epochs that dev picked', async () => {
    const set = { epochs: 6, lr: 0.2 };
    const asked = { ...tinyRequest(root, { folds: devFolds, set }), select: 'dev' as const };
    const before = await runExperiment(planExperiment(asked), context);
    const result = await runExperiment(planExperiment({ ...asked, refit: true }), context);
    expect(result.select).toBe('dev');
    expect(result.variants[0]).toMatchObject({ name: 'full', refit: true });
    expect(readCatalogue(root).entries.filter((one) => one.role === 'refit')).toHaveLength(3);
    const picked = before.variants[0]?.seeds[0]?.folds.map((fold) => fold.epoch);
    expect(result.variants[0]?.seeds[0]?.folds.map((fold) => fold.epoch)).toEqual(picked);
    expect(new Set(picked).size).toBeGreaterThan(1); // else this test shows little
    // each is the plain run on the whole training part that ends there
    for (const [i, fold] of folds.entries()) {
      const plain = tinyRequest(join(root, 'plain'), {
        folds: [fold],
        set: { ...set, epochs: picked?.[i] as number },
      });
      const own = (await runExperiment(planExperiment(plain), context)).variants[0]?.seeds[0]?.folds[0];
      expect(result.variants[0]?.seeds[0]?.folds[i]?.scores).toEqual(own?.scores);
    }
  });

  it('needs the rule dev', () => {
    const request = { ...tinyRequest(root, { folds: devFolds }), refit: true };
    expect(() => planExperiment(request)).toThrow(
      '--refit trains for the epochs that dev picked: it needs --select dev, found last',
    );
  });
});
