import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Attributes,
  createSession,
  Graph,
  ModelFile,
  modelBytes,
  quantiseProducts,
  type Session,
  writeModel,
} from '@lsgmer/onnx';
import { quantiseMatrix } from '../src/integer-products.ts';
import { noiseFrom } from './noise.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lsgmer-convolution-'));
});
afterAll(() => rm(folder, { recursive: true }));

const noise = noiseFrom(3);

const CHANNELS = 64;

interface Pair {
  readonly model: ModelFile;
  readonly changed: number;
  readonly fp32: Session;
  readonly int8: Session;
}

/** One convolution of [B, T, channels], turned there and back as speech encoders do, as it is and quantised. */
async function pair(
  kernel: number,
  attributes: Attributes,
  shape = [CHANNELS, CHANNELS, kernel],
  weights = noise(shape.reduce((a, b) => a * b)),
  bias = true,
): Promise<Pair> {
  const g = new Graph();
  const groups = (attributes['group'] ?? 1) as number;
  const [outputs, inputs] = [shape[0] as number, (shape[1] as number) * groups];
  g.input('x', 'float32', ['batch', 'frames', inputs]);
  const given = [
    g.op('Transpose', ['x'], { perm: [0, 2, 1] }),
    g.initializer('W', 'float32', shape, weights),
    ...(bias ? [g.initializer('b', 'float32', [outputs], noise(outputs))] : []),
  ];
  const made = g.op('Conv', given, { kernel_shape: [kernel], ...attributes });
  g.output(g.op('Transpose', [made], { perm: [0, 2, 1] }), 'float32', ['batch', 'after', outputs], 'y');
  const path = join(folder, 'model.onnx');
  await writeModel(g, path);
  const model = ModelFile.read(path);
  const changed = quantiseProducts(model);
  await model.write(join(folder, 'int8.onnx'));
  const fp32 = await createSession(path, { device: 'cpu', threads: 1 });
  return {
    model,
    changed,
    fp32,
    int8: await createSession(join(folder, 'int8.onnx'), { device: 'cpu', threads: 2 }),
  };
}

async function outputs(session: Session, x: Float32Array, shape: number[]): Promise<Float32Array> {
  const { y } = await session.run({ x: { data: x, shape } });
  return y?.data as Float32Array;
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [dot, aa, bb] = [0, 0, 0];
  a.forEach((value, i) => {
    dot += value * (b[i] as number);
    aa += value ** 2;
    bb += (b[i] as number) ** 2;
  });
  return dot / Math.sqrt(aa * bb);
}

/** Kernel and stride of what speech encoders have, a product by itself, one in the middle, and a grouped one. */
const CASES: readonly [string, number, Attributes, number[]][] = [
  ['3, stride 2', 3, { strides: [2] }, [96, CHANNELS, 3]],
  ['2, stride 2', 2, { strides: [2] }, [CHANNELS, 80, 2]],
  ['1', 1, {}, [CHANNELS, CHANNELS, 1]],
  ['3, stride 1', 3, {}, [CHANNELS, CHANNELS, 3]],
  ['8, stride 3', 8, { strides: [3] }, [CHANNELS, CHANNELS, 8]],
  ['20, stride 10', 20, { strides: [10] }, [CHANNELS, CHANNELS, 20]],
  ['8 in 2 groups, padded', 8, { group: 2, pads: [4, 3] }, [2 * CHANNELS, CHANNELS, 8]],
];

describe('convolutions as products of integers', () => {
  it.each(CASES)(
    'kernel %s: near float32, the same alone as in a batch',
    async (_, kernel, attributes, shape) => {
      const { model, changed, fp32, int8 } = await pair(kernel, attributes, shape);
      expect(changed).toBe(1);
      const types = model.nodes.map(({ type }) => type);
      expect(types).not.toContain('Conv');
      expect(types).not.toContain('Transpose');
      const inputs = (shape[1] as number) * ((attributes['group'] ?? 1) as number);
      for (const frames of [kernel, kernel + 1, 20, 33]) {
        const size = frames * inputs;
        // Recordings of very different loudness.
        const x = noise(3 * size).map((value, i) => value * [1, 1000, 1e-3][Math.floor(i / size)]!);
        const together = await outputs(int8, x, [3, frames, inputs]);
        for (let b = 0; b < 3; b++) {
          const own = x.slice(b * size, (b + 1) * size);
          const alone = await outputs(int8, own, [1, frames, inputs]);
          expect(alone).toEqual(together.slice(b * alone.length, (b + 1) * alone.length));
          const wanted = await outputs(fp32, own, [1, frames, inputs]);
          expect(alone.length).toBe(wanted.length);
          expect(cosine(alone, wanted)).toBeGreaterThan(0.9997);
        }
      }
      await fp32.release();
      await int8.release();
    },
  );

  it('gives each block of frames its own step, as by hand', async () => {
    const weights = noise(CHANNELS * CHANNELS * 3);
    const { model, fp32, int8 } = await pair(3, { strides: [2] }, [CHANNELS, CHANNELS, 3], weights);
    const bias = model.floats(model.initializers.find(({ name }) => name === 'b') as never);
    const x = noise(7 * CHANNELS).map((value, i) => value * (1 + 10 * Math.floor(i / CHANNELS)));
    const y = await outputs(int8, x, [1, 7, CHANNELS]);
    /** The largest step that a row of one of the block's frames needs; frames past the end need none. */
    const stepOf = (block: number): number => {
      const row = x.slice(2 * block * CHANNELS, 2 * (block + 1) * CHANNELS);
      return Math.fround(Math.max(Math.max(...row) / 90, -Math.min(...row) / 91));
    };
    const part = (from: number, width: number, t: number): number[] => {
      const row = x.slice((2 * t + from) * CHANNELS, (2 * t + from + width) * CHANNELS);
      const matrix = Float32Array.from({ length: width * CHANNELS * CHANNELS }, (_, i) => {
        const [input, o] = [Math.floor(i / CHANNELS), i % CHANNELS];
        return weights[
          (o * CHANNELS + (input % CHANNELS)) * 3 + from + Math.floor(input / CHANNELS)
        ] as number;
      });
      const { bytes, steps } = quantiseMatrix(matrix, width * CHANNELS, CHANNELS, false);
      const step = stepOf(t + from / 2);
      return Array.from({ length: CHANNELS }, (_, o) =>
        row.reduce(
          (sum, value, i) =>
            sum +
            Math.round(value / step) * (bytes[i * CHANNELS + o] as number) * step * (steps[o] as number),
          0,
        ),
      );
    };
    for (let t = 0; t < 3; t++) {
      const [whole, last] = [part(0, 2, t), part(2, 1, t)];
      whole.forEach((value, o) =>
        expect(y[t * CHANNELS + o]).toBeCloseTo(value + (last[o] as number) + (bias[o] as number), 2),
      );
    }
    await fp32.release();
    await int8.release();
  });

  it.each([
    [10, 5],
    [4, 4],
    [6, 2],
  ])(
    'a waveform, kernel %i by steps of %i, stays float32 without turning channels',
    async (kernel, stride) => {
      const { model, changed, fp32, int8 } = await pair(
        kernel,
        { strides: [stride] },
        [CHANNELS, 1, kernel],
        undefined,
        false,
      );
      expect(changed).toBe(0);
      const types = model.nodes.map(({ type }) => type);
      expect(types).not.toContain('Conv');
      for (const samples of [400, 401, 404, 1234]) {
        const x = noise(3 * samples);
        const together = await outputs(int8, x, [3, samples, 1]);
        for (let b = 0; b < 3; b++) {
          const own = x.slice(b * samples, (b + 1) * samples);
          const alone = await outputs(int8, own, [1, samples, 1]);
          expect(alone).toEqual(together.slice(b * alone.length, (b + 1) * alone.length));
          const wanted = await outputs(fp32, own, [1, samples, 1]);
          expect(alone.length).toBe(wanted.length);
          const errors = alone.map((value, i) => Math.abs(value - (wanted[i] as number)));
          expect(Math.max(...errors)).toBeLessThan(1e-5);
        }
      }
      await fp32.release();
      await int8.release();
    },
  );

  it('a waveform whose channels are wanted first as well stays as it is', () => {
    const g = new Graph();
    g.input('x', 'float32', ['batch', 1, 'samples']);
    const weights = g.initializer('W', 'float32', [CHANNELS, 1, 10], noise(10 * CHANNELS));
    const made = g.op('Conv', ['x', weights], { kernel_shape: [10], strides: [5] });
    g.output(g.op('Relu', [made]), 'float32', ['batch', CHANNELS, 'after'], 'first');
    g.output(g.op('Transpose', [made], { perm: [0, 2, 1] }), 'float32', ['batch', 'after', CHANNELS], 'last');
    const model = ModelFile.parse(modelBytes(g));
    quantiseProducts(model);
    const types = model.nodes.map(({ type }) => type).filter((type) => type !== 'Identity');
    expect(types).toEqual(['Conv', 'Relu', 'Transpose']);
  });

  it.each<[string, number, Attributes, number[]]>([
    ['few channels', 3, { strides: [2] }, [CHANNELS, 32, 3]],
    ['one channel and half a stride over', 10, { strides: [4] }, [CHANNELS, 1, 10]],
    ['few outputs of a group', 3, { group: 2 }, [64, 64, 3]],
    ['gaps', 3, { dilations: [2] }, [CHANNELS, CHANNELS, 3]],
    ['padding', 3, { pads: [1, 1] }, [CHANNELS, CHANNELS, 3]],
    ['automatic padding', 3, { auto_pad: 'SAME_UPPER' }, [CHANNELS, CHANNELS, 3]],
    ['a long kernel', 5, {}, [CHANNELS, CHANNELS, 5]],
  ])('leaves a convolution with %s as it is', async (_, kernel, attributes, shape) => {
    const { changed, fp32, int8 } = await pair(kernel, attributes, shape);
    expect(changed).toBe(0);
    const inputs = (shape[1] as number) * ((attributes['group'] ?? 1) as number);
    const x = noise(12 * inputs);
    expect(await outputs(int8, x, [1, 12, inputs])).toEqual(await outputs(fp32, x, [1, 12, inputs]));
    await fp32.release();
    await int8.release();
  });
});
