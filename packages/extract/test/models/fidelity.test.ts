import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/checkpoint.ts';
import { readFloats } from '../../src/checkpoint/stored-tensor.ts';
import type { EncodedSteps, EncoderInput } from '../../src/features/form.ts';
import { DEFAULT_FEATURE_OPTIONS, type FeatureOptions } from '../../src/models/feature-options.ts';
import { findModelFiles } from '../../src/models/model-files.ts';
import type { EncoderModel } from '../../src/models/model-folder.ts';
import { prepareModel } from '../../src/models/prepare-model.ts';
import { LocalEncoder } from '../../src/run/encoder.ts';
import { trainByteLevelBpe } from '../../src/tokenizer/train-bpe.ts';
import { goldenWeights } from '../encoders/seeded.ts';
import { goldenPath, largestError } from '../support.ts';

/** Checkpoints that transformers and torch saved (test/golden/checkpoints/write.py), and what they compute. */
const GOLDEN = goldenPath('checkpoints');
const folder = mkdtempSync(join(tmpdir(), 'lsgmer-fidelity-'));
afterAll(() => rmSync(folder, { recursive: true }));

const tokenizer = JSON.stringify(trainByteLevelBpe(['a few words'], 262));
const inputs = goldenWeights(5);
/** The rule of write.py. */
const clip = (samples: number): Float32Array =>
  inputs.tensor(`input.${samples}`, [samples]).map((value) => Math.fround(0.05 + Math.fround(0.3) * value));

async function prepare(name: string, change: Partial<FeatureOptions> = {}): Promise<EncoderModel> {
  const source = join(folder, 'sources', name);
  cpSync(join(GOLDEN, name), source, { recursive: true });
  writeFileSync(join(source, 'tokenizer.json'), tokenizer);
  const files = findModelFiles(name === 'alexnet' ? join(source, 'alexnet-tiny.pth') : source);
  return prepareModel(name, files, join(folder, 'models'), { ...DEFAULT_FEATURE_OPTIONS, ...change });
}

async function expected(name: string): Promise<Map<string, Float32Array>> {
  const { tensors } = await openCheckpoint([join(GOLDEN, name, 'expected.safetensors')]);
  return new Map([...tensors].map(([key, tensor]) => [key, readFloats(tensor)]));
}

/** All features of a model for each input of a batch. */
async function encode(model: EncoderModel, batch: readonly EncoderInput[]): Promise<EncodedSteps[][]> {
  const encoder = await LocalEncoder.start([model], { device: 'cpu', threads: 1 });
  try {
    return await encoder.encode(
      0,
      batch,
      model.features.map((_, i) => i),
    );
  } finally {
    await encoder.close();
  }
}

/** Of long inputs every 7th step and the last are kept. */
function thinned({ n, values }: EncodedSteps, dim: number): Float32Array {
  if (n <= 60) return values;
  const kept = [...Array.from({ length: Math.ceil(n / 7) }, (_, i) => 7 * i), n - 1];
  const out = new Float32Array(kept.length * dim);
  kept.forEach((step, i) => out.set(values.subarray(step * dim, (step + 1) * dim), i * dim));
  return out;
}

describe.each(['roberta', 'roberta-masked-lm', 'xlm-roberta-sharded', 'bert-legacy'])('%s', (name) => {
  it('has every hidden state of transformers, alone and in a batch', async () => {
    const model = await prepare(name, { layers: [0, 1, 2] });
    const golden = await expected(name);
    const rows = [...new Set([...golden.keys()].map((key) => key.split('.')[0] as string))];
    expect(rows).toHaveLength(4);
    for (const row of rows) {
      const ids = Int32Array.from(row.split('-'), Number);
      // The first is done with a neighbour of equal length.
      const layers = await encode(model, [ids, ids.map((id) => (id + 3) % 60)]);
      layers.forEach(([steps], layer) => {
        expect(
          largestError((steps as EncodedSteps).values, golden.get(`${row}.${layer}`) ?? []),
        ).toBeLessThan(1e-4);
      });
    }
  });
});

const SPEECH = [
  'wavlm-layer',
  'wavlm-group-ctc',
  'wav2vec2-group-pretraining',
  'wav2vec2-layer',
  'hubert-group',
  'hubert-layer',
];

describe.each(SPEECH)('%s', (name) => {
  const stable = name.endsWith('-layer');
  let golden: Map<string, Float32Array>;
  let raw: EncoderModel;
  let last: EncoderModel;
  beforeAll(async () => {
    golden = await expected(name);
    raw = await prepare(name, { layers: [0, 1, 2], ...(stable ? { finalNorm: false } : {}) });
    last = await prepare(name);
  });

  it('has every hidden state of transformers, for odd lengths too', async () => {
    for (const samples of [400, 401, 719, 720, 16_000, 33_333, 48_000]) {
      const layers = await encode(raw, [clip(samples)]);
      layers.forEach(([steps], layer) => {
        const found = thinned(steps as EncodedSteps, 16);
        expect(largestError(found, golden.get(`${samples}.${layer}`) ?? [])).toBeLessThan(1e-4);
      });
      const [[closing]] = (await encode(last, [clip(samples)])) as [[EncodedSteps]];
      expect(largestError(thinned(closing, 16), golden.get(`${samples}.last`) ?? [])).toBeLessThan(1e-4);
    }
  });

  it('has the last hidden state that transformers gives a batch', async () => {
    if (stable) {
      for (const samples of [16_000, 720, 33_333]) {
        const [[closing]] = (await encode(last, [clip(samples)])) as [[EncodedSteps]];
        expect(largestError(thinned(closing, 16), golden.get(`batched-${samples}.last`) ?? [])).toBeLessThan(
          1e-4,
        );
      }
    } else {
      const [rows] = (await encode(last, [clip(16_000), clip(33_333).slice(0, 16_000)])) as [EncodedSteps[]];
      rows.forEach((steps, i) => {
        expect(largestError(thinned(steps, 16), golden.get(`pair-${i}.last`) ?? [])).toBeLessThan(1e-4);
      });
    }
  });
});

describe('checkpoints of other houses', () => {
  it("reads WavLM's original names and settings to the same features", async () => {
    const original = await prepare('wavlm-original');
    const converted = await prepare('wavlm-layer');
    expect(original.features[0]?.computation).toEqual(converted.features[0]?.computation);
    const [[steps]] = (await encode(original, [clip(16_000)])) as [[EncodedSteps]];
    const golden = await expected('wavlm-layer');
    expect(largestError(steps.values, golden.get('16000.last') ?? [])).toBeLessThan(1e-4);
  });

  it("reads torchvision's AlexNet, whose classifier plays no part", async () => {
    const model = await prepare('alexnet');
    expect(model.config).toEqual({ model_type: 'alexnet', channels: [4, 6, 8, 6, 5] });
    expect(model.provenance['ignoredWeights']).toHaveLength(6);
    const shape = [1, 256, 94];
    const { createSession } = await import('@lsgmer/onnx');
    const session = await createSession(model.graphPath, { device: 'cpu', threads: 1 });
    const { features } = await session.run({
      picture: { data: inputs.tensor('picture.94', [256, 94]), shape },
    });
    await session.release();
    const golden = (await expected('alexnet')).get('94') ?? new Float32Array();
    const scale = golden.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(largestError(features?.data as Float32Array, golden) / scale).toBeLessThan(1e-5);
  });
});
