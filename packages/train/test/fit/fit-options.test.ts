import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silent } from '@lsgmer/datasets';
import { Assembler } from '../../src/batches/assemble.ts';
import { featureDims, joinFeatures } from '../../src/batches/source.ts';
import { configure } from '../../src/config/configuration.ts';
import { EagerEngine } from '../../src/engine/eager-engine.ts';
import { onnxEngine } from '../../src/engine/factories.ts';
import { OnnxEngine } from '../../src/engine/onnx-engine.ts';
import { predict } from '../../src/evaluate/predict.ts';
import { folderOf, runExperiment } from '../../src/index.ts';
import { planExperiment } from '../../src/experiment/plan.ts';
import type { ExperimentRequest } from '../../src/experiment/request.ts';
import { decodeSafetensors } from '../../src/fit/safetensors.ts';
import type { Engine, OptionValue } from '../../src/head/contract.ts';
import { initialValues } from '../../src/head/initial-values.ts';
import { lsgmer } from '../../src/head/lsgmer.ts';
import { useCpu } from '../support/cpu-backend.ts';
import { FloatSource } from '../support/float-source.ts';
import { largestDifference } from '../support/head-golden.ts';
import { MemorySource } from '../support/memory-source.ts';
import { classes, devFolds, folds, rows, tinyRequest, tinySources } from '../support/tiny-experiment.ts';
import { halfToNumber } from '../support/tiny-head.ts';

await useCpu();
const ids = rows.map((row) => row.id);
const sources = { ...tinySources(), map: new MemorySource('map', 14, ids, [1, 5], 0.25, 0.25) };
const base = { d: 8, heads: 2, epochs: 2, 'batch.size': 8, 'batch.shapes': 2, lr: 0.01 };

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lsgmer-options-'));
});
afterEach(() => rmSync(root, { recursive: true }));

async function request(
  runs: string,
  set: { [key: string]: OptionValue },
  more: Partial<ExperimentRequest> = {},
): Promise<ExperimentRequest> {
  const configuration = configure(lsgmer, [{ from: 'test', set: { ...base, ...set } }]);
  return {
    ...tinyRequest(runs, { sources, engine: await onnxEngine({ device: 'cpu', threads: 1 }) }),
    head: lsgmer,
    variants: [{ name: 'full', configuration }],
    ...more,
  };
}

async function run(...args: Parameters<typeof request>) {
  return runExperiment(planExperiment(await request(...args)), { reporter: silent, now: () => 0 });
}

function headOf(runs: string, file = 'head.safetensors') {
  const [id] = readdirSync(join(runs, 'demo', '3class'));
  return decodeSafetensors(readFileSync(join(runs, 'demo', '3class', id as string, file))).tensors;
}

describe('options of the trainer', () => {
  it('2 batches of 16 accumulated are one of 32, to 1e-5', async () => {
    const options = { 'classifier.dropout': 0.2, 'modality.dropout': 0.3, 'class.weights': 'inverse' };
    const set = { ...options, lr: 5e-4, epochs: 4 };
    await run(join(root, 'a'), { ...set, 'batch.size': 32 });
    await run(join(root, 'b'), { ...set, 'batch.size': 16, 'batch.accumulate': 2 });
    const other = headOf(join(root, 'b'));
    for (const [name, { values }] of Object.entries(headOf(join(root, 'a'))))
      expect(largestDifference(values, other[name]?.values as Float32Array), name).toBeLessThan(1e-5);
  });

  it('all together train, stop and go on to the same bits', async () => {
    const set = {
      'lr.schedule': 'cosine',
      'lr.warmup': 0.25,
      clip: 0.5,
      'adamw.decay.on': 'weights',
      'labels.smoothing': 0.1,
      'class.weights': 'effective',
      sampling: 'balanced',
      'modality.dropout': 0.3,
      'classifier.dropout': 0.2,
      'loss.focal': 2,
      standardise: 'train',
    };
    await run(join(root, 'a'), set, { folds: devFolds.slice(0, 1) });
    const controller = new AbortController();
    const stopping = await request(join(root, 'b'), set, { folds: devFolds.slice(0, 1) });
    let clock = 0;
    const now = (): number => {
      if (++clock === 4) controller.abort();
      return 60_000 * clock;
    };
    const { signal } = controller;
    await expect(runExperiment(planExperiment(stopping), { reporter: silent, now, signal })).rejects.toThrow(
      'stopped',
    );
    await run(join(root, 'b'), set, { folds: devFolds.slice(0, 1) });
    for (const file of ['head.safetensors', 'head.dev.safetensors', 'head.oracle-test.safetensors'])
      expect(headOf(join(root, 'b'), file), file).toEqual(headOf(join(root, 'a'), file));
    expect(headOf(join(root, 'a'))['standardise.text.mean']?.shape).toEqual([4]);
  });

  it('each changes the run', async () => {
    const one = planExperiment(await request(root, {}));
    const id = one.variants[0]?.runs[0]?.id;
    for (const set of [{ 'loss.focal': 1 }, { standardise: 'train' }, { standardise: 'speaker' }]) {
      const other = planExperiment(await request(root, set));
      expect(other.variants[0]?.runs[0]?.id, JSON.stringify(set)).not.toBe(id);
    }
  });
});

describe('standardise', () => {
  /** The audio as float32, one column times a factor. */
  const scaled = (factor: number): FloatSource =>
    new FloatSource(
      'frames',
      5,
      new Map(
        [...sources.audio.rows].map(([id, bits]) => [
          id,
          Float32Array.from(bits, (half, i) => halfToNumber(half) * (i % 5 === 0 ? factor : 1)),
        ]),
      ),
    );

  it('train: a column times 1e6 trains to within 1 point of the unscaled one', async () => {
    const set = { epochs: 6, standardise: 'train' };
    const audio = async (factor: number) => {
      const used = { ...sources, audio: scaled(factor) };
      const result = await run(join(root, String(factor)), set, { sources: used, folds });
      return result.variants[0]?.seeds[0]?.pooled.scores.ua as number;
    };
    const [plain, huge] = [await audio(1), await audio(1e6)];
    expect(plain).toBeGreaterThan(0.5); // it learns at all
    expect(Math.abs(plain - huge)).toBeLessThan(0.01);
  });
});

it('the focal loss has equal gradients traced and eager', async () => {
  const { head } = configure(lsgmer, [{ from: 'test', set: { ...base, 'loss.focal': 1.5 } }]);
  const dims = featureDims(sources);
  const joined = joinFeatures(rows, sources);
  const found: Float32Array[] = [];
  for (const engine of [
    new EagerEngine(lsgmer, head, dims, 3),
    await OnnxEngine.create(lsgmer, head, dims, 3, { device: 'cpu', threads: 1 }),
  ]) {
    engine.parameters.set(initialValues(lsgmer.parameters(head, dims, 3), { weights: 1, labels: 1 }));
    const assembler = new Assembler(lsgmer, head, 3, joined, sources);
    const shape = { rows: 6, text: 12, audio: 120, map: 5 };
    const batch = await assembler.assemble({ shape, items: [0, 1, 2, 3, 4] }, { rows: 5, firstRow: 0 });
    engine.clearGradients();
    await engine.gradients(batch);
    found.push(engine.gradient.slice());
    await engine.dispose();
  }
  expect(largestDifference(found[0] as Float32Array, found[1] as Float32Array)).toBeLessThan(1e-6);
  expect(Math.max(...(found[0] as Float32Array))).toBeGreaterThan(1e-3);
});

describe('a masked modality', () => {
  const dims = featureDims(sources);
  const config = configure(lsgmer, [{ from: 'test', set: base }]).head;
  const engines: { [name: string]: () => Promise<Engine> } = {
    traced: () => OnnxEngine.create(lsgmer, config, dims, 3, { device: 'cpu', threads: 1 }),
    eager: async () => new EagerEngine(lsgmer, config, dims, 3),
  };

  it.each(Object.keys(engines))(
    'gives numbers that depend on the utterance alone (%s)',
    async (name) => {
      const [mute, deaf] = [ids[0], ids[1]] as [string, string];
      const without = (source: MemorySource, id: string): MemorySource => {
        const copy = new MemorySource(
          source.feature,
          source.dim,
          ids,
          [1, 2],
          source.firstSeconds,
          source.stepSeconds,
        );
        for (const [key, values] of source.rows) copy.rows.set(key, values);
        copy.rows.delete(id);
        return copy;
      };
      const lacking = {
        text: without(sources.text, mute),
        audio: without(sources.audio, deaf),
        map: sources.map,
      };
      const joined = joinFeatures(rows, lacking, true);
      const engine = await (engines[name] as () => Promise<Engine>)();
      try {
        engine.parameters.set(initialValues(lsgmer.parameters(config, dims, 3), { weights: 1, labels: 1 }));
        const assembler = new Assembler(lsgmer, config, 3, joined, lacking);
        const of = async (shape: [number, number, number, number], items: number[]) => {
          const [rows, text, audio, map] = shape;
          const pass = [{ shape: { rows, text, audio, map }, items }];
          const found = await predict(engine, assembler, pass, joined, 3);
          return new Map(found.map((one) => [one.id, one.probabilities]));
        };
        const alone = await of([1, 12, 120, 5], [0]);
        const [first, second] = [await of([3, 15, 130, 7], [0, 1, 2]), await of([3, 12, 120, 5], [1, 0, 5])];
        for (const id of [mute, deaf]) {
          const p = first.get(id) as readonly number[];
          expect(p.every(Number.isFinite)).toBe(true);
          expect(largestDifference(p, second.get(id) as readonly number[])).toBeLessThan(1e-6);
        }
        expect(largestDifference(alone.get(mute) as number[], first.get(mute) as number[])).toBeLessThan(
          1e-6,
        );
      } finally {
        await engine.dispose();
      }
    },
    20_000,
  );

  it('keeps n under the rule mask, in a run of its own', async () => {
    const text = new MemorySource('words', 4, ids.slice(1), [2, 12]);
    for (const [id, values] of sources.text.rows) if (id !== ids[0]) text.rows.set(id, values);
    const used = { ...sources, text };
    const plan = (missing: 'mask' | 'wrong') => request(root, {}, { missing, sources: used });
    const [mask, wrong] = [planExperiment(await plan('mask')), planExperiment(await plan('wrong'))];
    expect(mask.variants[0]?.runs[0]?.id).not.toBe(wrong.variants[0]?.runs[0]?.id);
    const result = await runExperiment(mask, { reporter: silent, now: () => 0 });
    expect(result.variants[0]?.coverage).toMatchObject({ rule: 'mask', evaluated: 30, expected: 30 });
    expect(result.variants[0]?.coverage.missingTest.map(({ id }) => id)).toEqual([ids[0]]);
    const folder = folderOf(mask.request, mask.variants[0]?.runs[0] as never);
    expect(folder.predictions().text).toMatch(
      new RegExp(`^${ids[0]},Ses01,\\w+,(${classes.join('|')}),0`, 'm'),
    );
  });
});
