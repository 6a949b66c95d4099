import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type FeatureDtype, UserError, openFeatureSet, openFeatureSetWriter } from '@lsgmer/datasets';
import { DEFAULT_DECODE_POLICY } from '../../src/decode/policy.ts';
import type { EncodedSteps, EncoderInput } from '../../src/features/form.ts';
import { DEFAULT_FEATURE_OPTIONS } from '../../src/models/feature-options.ts';
import type { ModelFeature } from '../../src/models/model-features.ts';
import { makeTinyModel } from '../../src/models/tiny.ts';
import { EncodeError, type Encoder } from '../../src/run/encoder.ts';
import { LocalSink } from '../../src/run/feature-sink.ts';
import { featureSpecOf } from '../../src/run/feature-set.ts';
import { ModelRun, type PreparedRow } from '../../src/run/model-run.ts';
import type { SetPlan } from '../../src/run/plan.ts';
import { SetRun } from '../../src/run/set-run.ts';
import { utterance } from './corpus.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-run-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Two sets of one model: what leaves layer 1, and what leaves layer 2. */
const model = makeTinyModel('random-tiny-wavlm', folder, [], { ...DEFAULT_FEATURE_OPTIONS, layers: [1, 2] });
const { dim } = model.form;

/** Its input's first value says what becomes of a row: 1 works, 0 fails, NaN comes out as NaN. */
class StubEncoder implements Encoder {
  readonly devices = ['webgpu'] as const;
  readonly lanes = 1;
  /** Positions of the features that were asked for, call by call. */
  readonly asked: number[][] = [];
  /** Rows of each call. */
  readonly sizes: number[] = [];
  /** Rows that fit at once. */
  memory = Infinity;
  /** The device is gone. */
  lost = false;

  encode(_: number, inputs: readonly EncoderInput[], features: readonly number[]): Promise<EncodedSteps[][]> {
    this.asked.push([...features]);
    this.sizes.push(inputs.length);
    if (this.lost) return Promise.reject(new EncodeError('WebGPU device lost (1): out of memory\nat queue'));
    if (inputs.length > this.memory)
      return Promise.reject(new EncodeError('Failed to allocate memory for requested buffer of size 1234'));
    if (inputs.some((input) => input[0] === 0))
      return Promise.reject(new EncodeError('cannot do that\nbecause'));
    return Promise.resolve(
      features.map((feature) =>
        inputs.map((input) => ({
          n: 1,
          values: new Float32Array(dim).fill((input[0] as number) + 10 * feature),
        })),
      ),
    );
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

let stores = 0;
/** @param lacking which rows each set lacks; all of them unless given */
function start(
  values: readonly number[],
  lacking: readonly (readonly number[])[] = [values.map((_, i) => i)],
  dtype: FeatureDtype = 'float16',
): { run: ModelRun; sets: SetRun[]; batch: PreparedRow[]; store: string; encoder: StubEncoder } {
  const store = join(folder, `store${stores++}`);
  const encoder = new StubEncoder();
  const sets = lacking.map((orders, feature) => {
    const spec = featureSpecOf(model, model.features[feature] as ModelFeature, {
      dataset: 'toy',
      policy: DEFAULT_DECODE_POLICY,
      dtype,
      provenance: {},
    });
    const rows = orders.map((order) => ({ utterance: utterance(`toy/u${order}`), input: 'x', order }));
    const plan: SetPlan = { model, feature, spec, rows, stale: 0, done: 0, quarantined: [] };
    return new SetRun(plan, new LocalSink(openFeatureSetWriter({ store, spec, part: 'main' })));
  });
  const run = new ModelRun(sets, encoder, 0);
  const batch = run.rows.map((row) => ({ row, input: Float32Array.of(values[row.order] as number) }));
  return { run, sets, batch, store, encoder };
}

describe('ModelRun', () => {
  it('tries a failed batch row by row, and loses only the bad ones', async () => {
    const { run, sets, batch, store } = start([1, 0, 2, NaN, 3, 1e9]);
    expect(await run.encode(batch)).toBe(3);
    const [set] = sets as [SetRun];
    await set.close();
    expect(set.computed).toBe(3);
    expect(set.quarantined).toEqual([
      { id: 'toy/u1', reason: 'the encoder failed: cannot do that' },
      { id: 'toy/u3', reason: expect.stringContaining('is NaN: expected a finite number') as unknown },
      { id: 'toy/u5', reason: expect.stringContaining("beyond float16's range") as unknown },
    ]);
    const stored = openFeatureSet({ stores: [store], dataset: 'toy', feature: 'random-tiny-wavlm.l1' });
    expect(stored.ids()).toEqual(['toy/u0', 'toy/u2', 'toy/u4']);
    expect([...stored.quarantined().keys()].sort()).toEqual(['toy/u1', 'toy/u3', 'toy/u5']);
  });

  it('gives up where nothing has ever worked', async () => {
    const { run, sets, batch } = start([0, 0, 0, 0, 0, 0, 0, 0, 1]);
    const giveUp = run.encode(batch);
    await expect(giveUp).rejects.toThrow(UserError);
    await expect(giveUp).rejects.toThrow(
      'random-tiny-wavlm: the encoder failed on the first 8 utterances: cannot do that',
    );
    await sets[0]?.close();
  });

  it('goes on through many failures once something has worked', async () => {
    const { run, sets, batch } = start([1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    await run.encode(batch);
    const [set] = sets as [SetRun];
    await set.close();
    expect([set.computed, set.quarantined.length]).toEqual([1, 9]);
  });

  it('serves several sets with one pass, each with the rows that it lacks', async () => {
    const { run, sets, batch, store, encoder } = start(
      [1, 2, 3, 0],
      [
        [1, 2, 3],
        [0, 1],
      ],
      'float32',
    );
    expect(run.rows.map(({ order, lacking }) => [order, lacking.length])).toEqual([
      [0, 1],
      [1, 2],
      [2, 1],
      [3, 1],
    ]);
    await run.encode(batch.slice(0, 2));
    await run.encode(batch.slice(2, 3));
    await run.encode(batch.slice(3));
    expect(encoder.asked).toEqual([[0, 1], [0], [0]]);
    for (const set of sets) await set.close();
    const values = (feature: string): (number | undefined)[][] => {
      const set = openFeatureSet({ stores: [store], dataset: 'toy', feature });
      return set.ids().map((id) => [Number(id.slice(-1)), set.read(id).values[0]]);
    };
    expect(values('random-tiny-wavlm.l1')).toEqual([
      [1, 2],
      [2, 3],
    ]);
    expect(values('random-tiny-wavlm.l2')).toEqual([
      [0, 11],
      [1, 12],
    ]);
    expect(sets.map(({ quarantined }) => quarantined.map(({ id }) => id))).toEqual([['toy/u3'], []]);
  });

  it('halves the batch where memory runs out, and stays with what fits', async () => {
    const { run, sets, batch, encoder } = start([1, 2, 3, 4, 5, 6, 7]);
    encoder.memory = 2;
    expect(await run.encode(batch)).toBe(0);
    expect(await run.encode([])).toBe(0);
    expect(encoder.sizes.slice(0, 6)).toEqual([7, 3, 1, 1, 1, 3].slice(0, 2).concat([1, 1, 1, 1]));
    expect(sets[0]?.computed).toBe(7);
    await sets[0]?.close();
  });

  it('quarantines the one row that does not fit alone', async () => {
    const { run, sets, batch, encoder } = start([1, 2]);
    await run.encode(batch.slice(0, 1));
    encoder.memory = 0;
    expect(await run.encode(batch.slice(1))).toBe(1);
    expect(sets[0]?.quarantined).toEqual([
      {
        id: 'toy/u1',
        reason: 'the encoder failed: Failed to allocate memory for requested buffer of size 1234',
      },
    ]);
    await sets[0]?.close();
  });

  it('holds nothing against the rows when the device is gone', async () => {
    const { run, sets, batch, encoder } = start([1, 2, 3, 4]);
    await run.encode(batch.slice(0, 2));
    encoder.lost = true;
    const ended = run.encode(batch.slice(2));
    await expect(ended).rejects.toThrow(UserError);
    await expect(ended).rejects.toThrow(
      'random-tiny-wavlm: webgpu failed and computes nothing any more (WebGPU device lost (1): out of memory): all that was finished is kept, and the same command goes on',
    );
    expect([sets[0]?.computed, sets[0]?.quarantined]).toEqual([2, []]);
    await sets[0]?.close();
  });
});
