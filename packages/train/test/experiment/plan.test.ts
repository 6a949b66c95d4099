import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configure } from '../../src/config/configuration.ts';
import { pendingRuns } from '../../src/experiment/experiment.ts';
import { planExperiment } from '../../src/experiment/plan.ts';
import type { OptionValue } from '../../src/head/contract.ts';
import { lsgmer } from '../../src/head/lsgmer.ts';
import { devFolds, folds, rows, tinyRequest, tinySources } from '../support/tiny-experiment.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lsgmer-plan-'));
});
afterEach(() => rmSync(root, { recursive: true }));

describe('planExperiment', () => {
  it('plans variants x seeds x folds, each with an id of its own, and writes nothing', () => {
    const request = tinyRequest(join(root, 'runs'), {
      folds,
      seeds: [1, 2],
      variants: { full: {}, text: { modality: 'text' } },
    });
    const plan = planExperiment(request);
    const runs = plan.variants.flatMap((variant) => variant.runs);
    expect(runs.map((one) => `${one.variant} ${one.seed} ${one.fold}`)).toEqual(
      ['full', 'text'].flatMap((v) => [1, 2].flatMap((s) => folds.map((fold) => `${v} ${s} ${fold.id}`))),
    );
    expect(new Set(runs.map((one) => one.id)).size).toBe(12);
    expect(Object.keys(plan.variants[1]?.sources ?? {})).toEqual(['text']);
    expect(pendingRuns(plan)).toHaveLength(12);
    expect(existsSync(join(root, 'runs'))).toBe(false);
  });

  it('shares shapes between folds and seeds', () => {
    const [variant] = planExperiment(tinyRequest(root, { folds, seeds: [1, 2] })).variants;
    expect(variant?.shapes.length).toBeLessThanOrEqual(3);
  });

  it('permutes the labels of the training part only, by the seed', () => {
    const plan = planExperiment(tinyRequest(root, { seeds: [1, 2], set: { 'labels.permute': true } }));
    const [one, two] = plan.variants[0]?.runs ?? [];
    const truth = new Map(rows.map((row) => [row.id, row.label]));
    for (const run of [one, two]) {
      const wrong = run?.parts.train.filter((row) => row.label !== truth.get(row.id)) ?? [];
      expect(wrong.length).toBeGreaterThan(25);
      expect(run?.parts.test.every((row) => row.label === truth.get(row.id))).toBe(true);
      const count = (k: number): number => run?.parts.train.filter((row) => row.label === k).length ?? 0;
      expect([0, 1, 2].map(count)).toEqual([20, 20, 20]);
      const seen = new Map(run?.labels.map((row) => [row.id, row.label]));
      expect(run?.parts.train.every((row) => seen.get(row.id) === row.label)).toBe(true);
    }
    expect(one?.parts.train).not.toEqual(two?.parts.train);
  });

  it('reports coverage problems of all variants at once', () => {
    const sources = tinySources();
    sources.text.rows.delete(rows[0]?.id as string);
    sources.text.reasons.set(rows[0]?.id as string, 'empty text');
    const request = tinyRequest(root, {
      sources,
      variants: { full: {}, text: { modality: 'text' }, audio: { modality: 'audio' } },
    });
    const line = (name: string): string =>
      `variant ${name}: fold Ses01: 1 of 30 test utterances lack a feature: demo/u000: no words (empty text); ` +
      'extract them, or choose --missing mask (the head sees the other modality alone), wrong (counted as errors) or drop (result not comparable)';
    expect(() => planExperiment(request)).toThrow(`${line('full')}\n${line('text')}`);
  });

  it('says once that the selection rule dev needs a dev part, and in which folds', () => {
    const mixed = [...devFolds.slice(0, 1), ...folds.slice(1)];
    expect(() => planExperiment(tinyRequest(root, { folds: mixed, select: 'dev' }))).toThrow(
      /^--select dev needs a dev part, and folds Ses02, Ses03 have none: carve one with --dev session, dialogue:0.1 or speaker:0.1$/,
    );
    expect(() => planExperiment(tinyRequest(root, { folds: devFolds, select: 'dev' }))).not.toThrow();
  });

  it('reports configurations that do not fit head and features, of all variants at once', () => {
    const request = tinyRequest(root);
    const variant = (name: string, set: { [key: string]: OptionValue }) => ({
      name,
      configuration: configure(lsgmer, [{ from: name, set }]),
    });
    const variants = [variant('odd', { d: 10 }), variant('map', {}), variant('good', { modality: 'text' })];
    expect(() => planExperiment({ ...request, head: lsgmer, variants })).toThrow(
      /^variant odd: heads: 4 does not divide d = 10; .*\n(variant odd: .*\n)*variant map: audio.alexnet: needs a spectrogram map/,
    );
  });

  it('says when a fold names an utterance outside the task: that is a bug', () => {
    const request = tinyRequest(root, { rows: rows.slice(1) });
    expect(() => planExperiment(request)).toThrow('fold names demo/u000, which is not in the task');
  });
});
