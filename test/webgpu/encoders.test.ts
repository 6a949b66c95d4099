import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { goldenWeights } from '../../packages/extract/test/encoders/seeded.ts';
import type { EncodedSteps, EncoderInput } from '../../packages/extract/src/features/form.ts';
import {
  DEFAULT_FEATURE_OPTIONS,
  type FeatureOptions,
} from '../../packages/extract/src/models/feature-options.ts';
import { findModelFiles } from '../../packages/extract/src/models/model-files.ts';
import type { EncoderModel } from '../../packages/extract/src/models/model-folder.ts';
import { prepareModel } from '../../packages/extract/src/models/prepare-model.ts';
import { TINY_NAMES, makeTinyModel } from '../../packages/extract/src/models/tiny.ts';
import { LocalEncoder } from '../../packages/extract/src/run/encoder.ts';
import { compareSteps } from '../../packages/extract/src/run/fidelity.ts';
import { trainByteLevelBpe } from '../../packages/extract/src/tokenizer/train-bpe.ts';
import { goldenPath, largestError } from '../../packages/extract/test/support.ts';
import { DEVICE, TOLERANCE } from './device.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-device-encoders-'));
afterAll(() => rmSync(folder, { recursive: true }));

const inputs = goldenWeights(5);
const clip = (samples: number, name = 'input'): Float32Array =>
  inputs.tensor(`${name}.${samples}`, [samples]).map((value) => Math.fround(0.05 + Math.fround(0.3) * value));
const tokens = (count: number, first: number): Int32Array =>
  Int32Array.from({ length: count }, (_, i) => 4 + ((first + 7 * i) % 56));

/** All features of a model for each input of a batch. */
async function encode(
  model: EncoderModel,
  device: 'cpu' | typeof DEVICE,
  batches: readonly (readonly EncoderInput[])[],
): Promise<EncodedSteps[][][]> {
  const encoder = await LocalEncoder.start([model], { device, threads: 1 });
  try {
    const all = [];
    for (const batch of batches) all.push(await encoder.encode(0, batch, [...model.features.keys()]));
    return all;
  } finally {
    await encoder.close();
  }
}

async function compare(model: EncoderModel, batches: readonly (readonly EncoderInput[])[]): Promise<void> {
  const expected = await encode(model, 'cpu', batches);
  const found = await encode(model, DEVICE, batches);
  let compared = 0;
  for (const [b, features] of expected.entries())
    for (const [f, rows] of features.entries())
      for (const [r, { n, values }] of rows.entries()) {
        const other = found[b]?.[f]?.[r] as EncodedSteps;
        expect(other.n).toBe(n);
        const error = largestError(other.values, values);
        expect(error, `${model.features[f]?.name}, batch ${b}, row ${r}`).toBeLessThan(TOLERANCE);
        compared += n;
      }
  expect(compared).toBeGreaterThan(0);
}

/** Alone, and with a neighbour of equal length. */
const texts = [[tokens(9, 3)], [tokens(14, 1), tokens(14, 20)], [tokens(1, 0)]];
const sounds = [[clip(16_000)], [clip(8000), clip(8000, 'other')], [clip(33_333)], [clip(400)]];

/** Checkpoints of a foreign library, whose weights lie beside the graph as external data. */
async function prepared(name: string, change: Partial<FeatureOptions> = {}): Promise<EncoderModel> {
  const source = join(folder, 'sources', name);
  cpSync(goldenPath(`checkpoints/${name}`), source, { recursive: true });
  writeFileSync(join(source, 'tokenizer.json'), JSON.stringify(trainByteLevelBpe(['a few words'], 262)));
  const files = findModelFiles(name === 'alexnet' ? join(source, 'alexnet-tiny.pth') : source);
  return prepareModel(name, files, join(folder, 'models'), { ...DEFAULT_FEATURE_OPTIONS, ...change });
}

describe(`encoders on ${DEVICE} give the CPU's features`, () => {
  it.each(TINY_NAMES)('%s', async (name) => {
    const model = makeTinyModel(name, join(folder, 'tiny'), ['a few words', 'and a few more']);
    await compare(model, model.form.kind === 'text' ? texts : sounds);
  });

  it.each(['roberta', 'bert-legacy', 'xlm-roberta-sharded'])('%s, every layer', async (name) => {
    await compare(await prepared(name, { layers: [0, 1, 2] }), texts);
  });

  it.each([
    'wavlm-layer',
    'wavlm-group-ctc',
    'wav2vec2-group-pretraining',
    'wav2vec2-layer',
    'hubert-group',
    'hubert-layer',
  ])('%s, every layer', async (name) => {
    await compare(await prepared(name, { layers: [0, 1, 2] }), sounds);
  });

  it('alexnet', async () => {
    await compare(await prepared('alexnet'), sounds);
  });

  it.each(TINY_NAMES)('%s in float16 comes near', async (name) => {
    const model = makeTinyModel(name, join(folder, 'tiny'), ['a few words', 'and a few more']);
    const half = makeTinyModel(name, join(folder, 'tiny'), ['a few words', 'and a few more'], {
      ...DEFAULT_FEATURE_OPTIONS,
      compute: 'fp16',
    });
    const batches = model.form.kind === 'text' ? texts.slice(0, 2) : sounds.slice(0, 2);
    const [exact, found] = [await encode(model, 'cpu', batches), await encode(half, DEVICE, batches)];
    for (const [b, features] of exact.entries()) {
      const { cosine } = compareSteps(
        features[0] as EncodedSteps[],
        found[b]?.[0] as EncodedSteps[],
        model.form.dim,
      );
      expect(cosine.lowest).toBeGreaterThan(0.99);
    }
  });
});
