import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError, silent } from '@lsgmer/datasets';
import type { Device } from '@lsgmer/onnx/runtime';
import { searchFfmpeg } from '../../src/decode/ffmpeg-binary.ts';
import type { EncodedSteps, EncoderInput } from '../../src/features/form.ts';
import { TINY_NAMES, makeTinyModel } from '../../src/models/tiny.ts';
import { checkDevice } from '../../src/run/device-check.ts';
import { type Encoder, LocalEncoder } from '../../src/run/encoder.ts';
import { planFeatures } from '../../src/run/extract.ts';
import type { ExtractOptions } from '../../src/run/extract-options.ts';
import type { SetPlan } from '../../src/run/plan.ts';
import { makeCorpus } from './corpus.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-device-'));

/** The CPU, called a GPU, with what a broken driver would make of one model's values. */
class Pretended implements Encoder {
  readonly devices: readonly Device[];
  readonly lanes = 1;
  private readonly inner: Encoder;
  private readonly wrong: (values: Float32Array) => Float32Array;

  constructor(inner: Encoder, devices: readonly Device[], wrong: (values: Float32Array) => Float32Array) {
    this.inner = inner;
    this.devices = devices;
    this.wrong = wrong;
  }

  async encode(
    model: number,
    inputs: readonly EncoderInput[],
    features: readonly number[],
  ): Promise<EncodedSteps[][]> {
    const encoded = await this.inner.encode(model, inputs, features);
    if (model !== 1) return encoded;
    return encoded.map((rows) => rows.map(({ n, values }) => ({ n, values: this.wrong(values) })));
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

let options: ExtractOptions;
let plans: SetPlan[];
let cpu: Encoder;
const said: string[] = [];

beforeAll(async () => {
  const utterances = makeCorpus(folder, [5200, 5300, 8000, 16_000]);
  const models = TINY_NAMES.map((name) =>
    makeTinyModel(
      name,
      join(folder, 'models'),
      utterances.map(({ text }) => text),
    ),
  );
  options = {
    dataset: 'toy',
    root: folder,
    utterances,
    models,
    store: join(folder, 'store'),
    threads: 1,
    encoders: 'inside',
    reporter: { ...silent, info: (text: string) => said.push(text) },
  };
  plans = await planFeatures(options, {});
  cpu = await LocalEncoder.start(
    models.map(({ folder: place, options: chosen }) => ({ folder: place, options: chosen })),
    { device: 'cpu', threads: 1 },
  );
});
afterAll(async () => {
  await cpu.close();
  rmSync(folder, { recursive: true });
});

const GPU = TINY_NAMES.map((): Device => 'webgpu');
const check = (
  wrong: (values: Float32Array) => Float32Array,
  devices: readonly Device[] = GPU,
): Promise<SetPlan[]> =>
  checkDevice(new Pretended(cpu, devices, wrong), plans, options, () => searchFfmpeg());

describe('checkDevice', () => {
  it('lets the same features pass, and keeps how near they are', async () => {
    said.length = 0;
    const checked = await check((values) => values.map((value) => value * (1 + 1e-6)));
    expect(said.map((text) => text.replace(/cosine.*/, ''))).toEqual(
      TINY_NAMES.map((name) => `${name} on webgpu against the CPU: `),
    );
    expect(checked.map(({ spec }) => spec.provenance['againstCpu'])).toEqual(
      plans.map(() => expect.objectContaining({ against: 'float32', utterances: 2 }) as unknown),
    );
    expect(checked.map(({ spec, rows }) => [spec.fingerprint, rows.length])).toEqual(
      plans.map(({ spec, rows }) => [spec.fingerprint, rows.length]),
    );
  });

  it('looks at the models that run there, whichever come first', async () => {
    said.length = 0;
    const checked = await check((values) => values, ['cpu', 'webgpu', 'cpu']);
    expect(said.map((text) => text.replace(/ on .*/, ''))).toEqual([TINY_NAMES[1]]);
    expect(checked.map(({ spec }) => 'againstCpu' in spec.provenance)).toEqual([false, true, false]);
    const wrong = (values: Float32Array): Float32Array => values.map(() => 0);
    await expect(check(wrong, ['cpu', 'webgpu', 'cpu'])).rejects.toThrow(UserError);
    await expect(check(wrong, ['cpu', 'cpu', 'cpu'])).resolves.toEqual(plans);
  });

  it.each([
    ['a tenth of noise', (values: Float32Array) => values.map((v, i) => v + 0.1 * Math.sin(i * 7))],
    ['a neighbour’s channel', (values: Float32Array) => values.map((_, i) => values[i ^ 1] as number)],
    ['nothing', (values: Float32Array) => values.map(() => 0)],
    ['no numbers', (values: Float32Array) => values.map(() => NaN)],
  ])('refuses %s', async (_, wrong) => {
    const checked = check(wrong);
    await expect(checked).rejects.toThrow(UserError);
    await expect(checked).rejects.toThrow(
      /^random-tiny-wavlm on webgpu against the CPU: cosine .*: these are other features; use --device cpu$/,
    );
  });
});
