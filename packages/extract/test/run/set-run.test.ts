import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Progress, UserError, openFeatureSet, openFeatureSetWriter, silent } from '@lsgmer/datasets';
import { DEFAULT_DECODE_POLICY } from '../../src/decode/policy.ts';
import type { EncodedSteps, EncoderInput } from '../../src/features/form.ts';
import { makeTinyModel } from '../../src/models/tiny.ts';
import { EncodeError, type Encoder } from '../../src/run/encoder.ts';
import { featureSpecOf } from '../../src/run/feature-set.ts';
import type { SetPlan } from '../../src/run/plan.ts';
import { type PreparedRow, RunProgress, SetRun } from '../../src/run/set-run.ts';
import { utterance } from './corpus.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-run-'));
afterAll(() => rmSync(folder, { recursive: true }));

const model = makeTinyModel('random-tiny-wavlm', folder, []);
const { dim } = model.form;

/** Its input's first value says what becomes of a row: 1 works, 0 fails, NaN comes out as NaN. */
const encoder: Encoder = {
  device: 'cpu',
  encode(_, inputs: readonly EncoderInput[]): Promise<EncodedSteps[]> {
    if (inputs.some((input) => input[0] === 0))
      return Promise.reject(new EncodeError('cannot do that\nbecause'));
    return Promise.resolve(
      inputs.map((input) => ({ n: 1, values: new Float32Array(dim).fill(input[0] as number) })),
    );
  },
  close: () => Promise.resolve(),
};

let stores = 0;
function start(values: readonly number[]): { run: SetRun; batch: PreparedRow[]; store: string } {
  const store = join(folder, `store${stores++}`);
  const spec = featureSpecOf(model, {
    dataset: 'toy',
    policy: DEFAULT_DECODE_POLICY,
    dtype: 'float16',
    provenance: {},
  });
  const rows = values.map((_, order) => ({ utterance: utterance(`toy/u${order}`), input: 'x', order }));
  const plan: SetPlan = { model, spec, rows, stale: 0, done: 0, quarantined: [] };
  const run = new SetRun(plan, openFeatureSetWriter({ store, spec, part: 'main' }), encoder, 0);
  const batch = rows.map((row, i) => ({ row, input: Float32Array.of(values[i] as number) }));
  return { run, batch, store };
}

describe('SetRun', () => {
  it('tries a failed batch row by row, and loses only the bad ones', async () => {
    const { run, batch, store } = start([1, 0, 2, NaN, 3, 1e9]);
    await run.encode(batch);
    run.close();
    expect(run.computed).toBe(3);
    expect(run.quarantined).toEqual([
      { id: 'toy/u1', reason: 'the encoder failed: cannot do that' },
      { id: 'toy/u3', reason: expect.stringContaining('is NaN: expected a finite number') as unknown },
      { id: 'toy/u5', reason: expect.stringContaining("beyond float16's range") as unknown },
    ]);
    const set = openFeatureSet({ stores: [store], dataset: 'toy', feature: model.name });
    expect(set.ids()).toEqual(['toy/u0', 'toy/u2', 'toy/u4']);
    expect([...set.quarantined().keys()].sort()).toEqual(['toy/u1', 'toy/u3', 'toy/u5']);
  });

  it('gives up where nothing has ever worked', async () => {
    const { run, batch } = start([0, 0, 0, 0, 0, 0, 0, 0, 1]);
    const giveUp = run.encode(batch);
    await expect(giveUp).rejects.toThrow(UserError);
    await expect(giveUp).rejects.toThrow(
      'random-tiny-wavlm: the encoder failed on the first 8 utterances: cannot do that',
    );
    run.close();
  });

  it('goes on through many failures once something has worked', async () => {
    const { run, batch } = start([1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    await run.encode(batch);
    run.close();
    expect([run.computed, run.quarantined.length]).toEqual([1, 9]);
  });
});

describe('RunProgress', () => {
  it('adds up over sets and counts what was lost', () => {
    const seen: Progress[] = [];
    const progress = new RunProgress({ ...silent, progress: (step) => seen.push(step) }, 'a, b', 10);
    progress.add(4);
    progress.add(3, 1);
    expect(seen).toEqual([
      { task: 'a, b', done: 4, total: 10, unit: 'rows' },
      { task: 'a, b', done: 7, total: 10, unit: 'rows', note: '1 quarantined' },
    ]);
  });
});
