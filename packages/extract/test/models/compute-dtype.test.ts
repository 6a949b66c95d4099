import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModelFile, createSession, writeModel } from '@lsgmer/onnx';
import { afterAll, describe, expect, it } from 'vitest';
import { RandomWeights } from '../../src/encoders/weight-source.ts';
import { buildEncoder } from '../../src/models/build-encoder.ts';
import type { BuiltConfig } from '../../src/models/model-config.ts';
import { parseConfig } from '../../src/models/parse-config.ts';
import { type EncoderModel, readModel } from '../../src/models/model-folder.ts';
import { DEFAULT_FEATURE_OPTIONS } from '../../src/models/feature-options.ts';
import {
  COMPUTE_DTYPES,
  type ComputeDtype,
  computeGraph,
  lacksGraph,
} from '../../src/models/compute-dtype.ts';
import { TINY_NAMES, makeTinyModel } from '../../src/models/tiny.ts';
import { largestError } from '../support.ts';
import { LocalEncoder } from '../../src/run/encoder.ts';

const readJsonOf = ({ folder: of }: EncoderModel): Record<string, unknown> =>
  JSON.parse(readFileSync(join(of, 'config.json'), 'utf8')) as Record<string, unknown>;

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-compute-'));
afterAll(() => rmSync(folder, { recursive: true }));

const TEXTS = ['what are you doing here', 'oh my god', 'nothing at all, really'];
const models = TINY_NAMES.map((name) => makeTinyModel(name, folder, TEXTS));
const as = (model: EncoderModel, compute: ComputeDtype): EncoderModel =>
  readModel(model.folder, { ...DEFAULT_FEATURE_OPTIONS, compute });

let state = 7;
const wave = (length: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => {
    state = (state * 48_271) % 2_147_483_647;
    return Math.sin(i / 9) * 0.1 + (state / 2_147_483_647 - 0.5) * 0.1;
  });

describe('compute types', () => {
  it('are told apart by name and fingerprint; AlexNet has nothing to quantise', () => {
    const [text, audio, picture] = models as [EncoderModel, EncoderModel, EncoderModel];
    expect(COMPUTE_DTYPES.map((dtype) => as(audio, dtype).features[0]?.name)).toEqual([
      'random-tiny-wavlm',
      'random-tiny-wavlm.fp16',
      'random-tiny-wavlm.int8',
    ]);
    expect(COMPUTE_DTYPES.map((dtype) => as(text, dtype).features[0]?.computation['computed'])).toEqual([
      'float32',
      'float16',
      expect.stringContaining('int8-4'),
    ]);
    expect(as(picture, 'int8').features).toEqual(as(picture, 'fp32').features);
  });

  it('makes the graph once, and again when the model is newer', async () => {
    const { graphPath } = models[1] as EncoderModel;
    expect(lacksGraph(graphPath, 'int8')).toBe(true);
    const made = await computeGraph(graphPath, 'int8');
    const written = statSync(made).mtimeMs;
    expect(lacksGraph(graphPath, 'int8')).toBe(false);
    expect(await computeGraph(graphPath, 'int8')).toBe(made);
    expect(statSync(made).mtimeMs).toBe(written);
    utimesSync(made, 1, 1);
    expect(lacksGraph(graphPath, 'int8')).toBe(true);
    await computeGraph(graphPath, 'int8');
    // The arithmetic is part of the name: what an older one left there is not taken, and goes.
    expect(made.endsWith('.int8-4.onnx')).toBe(true);
    const older = made.replace('int8-4', 'int8-3');
    writeFileSync(older, '');
    utimesSync(made, 1, 1);
    await computeGraph(graphPath, 'int8');
    expect([existsSync(older), existsSync(made)]).toEqual([false, true]);
    expect(readdirSync(join(made, '..')).filter((name) => name.includes('tmp'))).toEqual([]);
  });

  it.each(['int8', 'fp16'] as const)(
    '%s: a row is the same in a batch of eight as alone, near float32',
    async (compute) => {
      for (const model of models.slice(0, 2)) {
        const variant = as(model, compute);
        const [encoder, exact] = [
          await LocalEncoder.start([variant], { device: 'cpu', threads: 2 }),
          await LocalEncoder.start([as(model, 'fp32')], { device: 'cpu', threads: 1 }),
        ];
        const inputs = Array.from({ length: 8 }, (_, i) =>
          model.form.kind === 'text'
            ? Int32Array.from({ length: 11 }, (__, t) => 5 + ((7 * i + t) % 40))
            : wave(7000),
        );
        const [together] = await encoder.encode(0, inputs, [0]);
        const [wanted] = await exact.encode(0, inputs, [0]);
        for (const [i, input] of inputs.entries()) {
          const [alone] = await encoder.encode(0, [input], [0]);
          // int8: bit for bit. float16 products of onnxruntime depend a little on the batch.
          if (compute === 'int8') expect(together?.[i]).toEqual(alone?.[0]);
          else expect(largestError(together?.[i]?.values ?? [], alone?.[0]?.values ?? [])).toBeLessThan(0.02);
          const [a, b] = [together?.[i]?.values as Float32Array, wanted?.[i]?.values as Float32Array];
          let [dot, aa, bb] = [0, 0, 0];
          a.forEach((value, at) => {
            dot += value * (b[at] as number);
            aa += value ** 2;
            bb += (b[at] as number) ** 2;
          });
          expect(dot / Math.sqrt(aa * bb)).toBeGreaterThan(0.999);
          expect(a).not.toEqual(b);
        }
        await encoder.close();
        await exact.close();
      }
    },
  );

  it("a CPU's graph of a model with wide convolutions gives what the model's own gives", async () => {
    const config = parseConfig(
      { ...readJsonOf(models[1] as EncoderModel), conv_dim: [64, 64, 80, 64, 64, 64, 64], hidden_size: 1024 },
      'here',
    );
    const weights = new RandomWeights(3, (name, shape) =>
      name.endsWith('norm.weight')
        ? { mean: 1, sd: 0.1 }
        : { mean: 0, sd: 1 / Math.sqrt(shape.slice(1).reduce((product, dim) => product * dim, 1)) },
    );
    const graph = join(folder, 'wide.onnx');
    await writeModel(buildEncoder(config as BuiltConfig, weights), graph);
    const made = await computeGraph(graph, 'cpu');
    expect(made.endsWith('wide.cpu-1.onnx')).toBe(true);
    expect(ModelFile.read(made).nodes.map(({ type }) => type)).not.toContain('Conv');
    const [own, rows] = [
      await createSession(graph, { device: 'cpu', threads: 2 }),
      await createSession(made, { device: 'cpu', threads: 2 }),
    ];
    for (const samples of [400, 401, 719, 720, 16_000, 33_333]) {
      const shape = [1, samples];
      const feeds = {
        input_values: { data: wave(samples), shape },
        attention_mask: { data: new BigInt64Array(samples).fill(1n), shape },
      };
      const [wanted, found] = [await own.run(feeds), await rows.run(feeds)];
      const values = (given: typeof found): Float32Array => given['last_hidden_state']?.data as Float32Array;
      expect(values(found).length).toBe(values(wanted).length);
      expect(largestError(values(found), values(wanted))).toBeLessThan(1e-4);
    }
    await own.release();
    await rows.release();
  });

  it('refuses int8 on a GPU', async () => {
    const start = LocalEncoder.start([as(models[0] as EncoderModel, 'int8')], { device: 'cuda' });
    await expect(start).rejects.toThrow('int8 runs on the CPU only');
  });
});
