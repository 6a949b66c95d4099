import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ChannelMeans,
  Graph,
  type HostTensor,
  ModelFile,
  createSession,
  giveChannelMeans,
  quantiseProducts,
  writeModel,
} from '@lsgmer/onnx';
import { noiseFrom } from './noise.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lsgmer-means-'));
  await writeModel(graph(), join(folder, 'model.onnx'));
});
afterAll(() => rm(folder, { recursive: true }));

const noise = noiseFrom(3);
const [ROWS, WIDTH, OUT] = [400, 96, 64];
/** As layer norms of trained encoders leave it: two channels lie far from zero in each row. */
const x = noise(ROWS * WIDTH).map((value, i) => value + ([9, -4][(i % WIDTH) - 7] ?? 0));

/** Products of x, one by way of [2, rows, width], and of what leaves a relu one product and one convolution along the rows. */
function graph(): Graph {
  const g = new Graph();
  g.input('x', 'float32', ['rows', WIDTH]);
  const matrix = (name: string, shape: readonly [number, number]): string =>
    g.initializer(name, 'float32', shape, noise(shape[0] * shape[1]));
  const bias = g.initializer('b', 'float32', [OUT], noise(OUT));
  g.output(
    g.op('Gemm', ['x', matrix('V', [OUT, WIDTH]), bias], { transB: 1 }),
    'float32',
    ['rows', OUT],
    'affine',
  );
  g.output(g.op('Gemm', ['x', matrix('U', [WIDTH, OUT])]), 'float32', ['rows', OUT], 'flat');
  const deep = g.op('Reshape', ['x', g.int64([2, -1, WIDTH])]);
  g.output(g.op('MatMul', [deep, matrix('W', [WIDTH, OUT])]), 'float32', [2, 'half', OUT], 'deep');
  const active = g.op('Relu', ['x']);
  const product = g.op('MatMul', [active, matrix('R', [WIDTH, OUT])]);
  g.output(product, 'float32', ['rows', OUT], 'active');
  const first = g.op('Transpose', [g.op('Unsqueeze', [active, g.int64([0])])], { perm: [0, 2, 1] });
  const kernel = g.initializer('K', 'float32', [OUT, WIDTH, 3], noise(3 * WIDTH * OUT));
  const conv = g.op('Conv', [first, kernel], { kernel_shape: [3], strides: [2] });
  g.output(g.op('Transpose', [conv], { perm: [0, 2, 1] }), 'float32', [1, 'frames', OUT], 'convolved');
  // A bias that differs from row to row is no constant of the product.
  const rows = g.op('MatMul', ['x', g.initializer('N', 'float32', [WIDTH, OUT], noise(WIDTH * OUT))]);
  g.output(g.op('Gemm', ['x', matrix('P', [WIDTH, OUT]), rows]), 'float32', ['rows', OUT], 'moving');
  return g;
}

async function run(model: ModelFile, data: Float32Array): Promise<Record<string, HostTensor>> {
  const path = join(folder, 'run.onnx');
  await model.write(path);
  const session = await createSession(path, { device: 'cpu', threads: 1 });
  const results = await session.run({ x: { data, shape: [data.length / WIDTH, WIDTH] } });
  await session.release();
  return results;
}

const read = (): ModelFile => ModelFile.read(join(folder, 'model.onnx'));

async function measured(): Promise<ChannelMeans> {
  const model = read();
  const outputs = giveChannelMeans(model, 'g');
  const results = await run(model, x);
  return new Map([...outputs].map(([value, name]) => [value, results[name]?.data as Float32Array]));
}

/** Share of the variance between rows, over all columns, that is not lost. */
function kept(exact: HostTensor | undefined, found: HostTensor | undefined): number {
  const [a, b] = [exact, found].map((tensor) => tensor?.data as Float32Array) as [Float32Array, Float32Array];
  let [errors, spread] = [0, 0];
  for (let column = 0; column < OUT; column++) {
    const own = a.filter((_, i) => i % OUT === column);
    const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
    own.forEach((value, row) => {
      spread += (value - mean) ** 2;
      errors += (value - (b[row * OUT + column] as number)) ** 2;
    });
  }
  return 1 - errors / spread;
}

/** Root mean square of the columns' mean errors. */
function shift(exact: HostTensor | undefined, found: HostTensor | undefined): number {
  const [a, b] = [exact, found].map((tensor) => tensor?.data as Float32Array) as [Float32Array, Float32Array];
  const sums = new Float64Array(OUT);
  a.forEach((value, i) => (sums[i % OUT] = (sums[i % OUT] as number) + (b[i] as number) - value));
  return Math.hypot(...sums) / (a.length / OUT) / Math.sqrt(OUT);
}

describe('channel means', () => {
  it('are those of the values that products take, whatever their dimensions', async () => {
    const means = await measured();
    // x, x as [2, rows, width], what leaves the relu, and that as [1, width, rows] before a convolution.
    expect(means.size).toBe(4);
    let positive = 0;
    for (const mean of means.values()) {
      const given = mean.every((value) => value >= 0) ? x.map((value) => Math.max(0, value)) : x;
      if (given !== x) positive++;
      mean.forEach((value, channel) => {
        let sum = 0;
        for (let row = 0; row < ROWS; row++) sum += given[row * WIDTH + channel] as number;
        expect(value).toBeCloseTo(sum / ROWS, 5);
      });
    }
    expect(positive).toBe(2);
  });

  it('leave the steps of int8 to what differs between rows', async () => {
    const exact = await run(read(), x);
    const means = await measured();
    const [plain, centred] = [read(), read()];
    expect([quantiseProducts(plain), quantiseProducts(centred, means)]).toEqual([7, 7]);
    const [before, after] = [await run(plain, x), await run(centred, x)];
    for (const name of ['affine', 'flat', 'deep']) {
      const [lost, left] = [before, after].map((results) => 1 - kept(exact[name], results[name]));
      expect(left).toBeLessThan(0.25 * (lost as number));
      expect(left).toBeLessThan(0.002);
      expect(after[name]?.shape).toEqual(exact[name]?.shape);
    }
    // What keeps its zero, and a convolution, are given back what rounded weights lose: the mean error goes.
    for (const name of ['active', 'convolved']) {
      const [had, has] = [before, after].map((results) => shift(exact[name], results[name]));
      expect(has).toBeLessThan(0.4 * (had as number));
    }
    // A bias of its own for each row stays.
    expect(kept(exact['moving'], after['moving'])).toBeGreaterThan(0.9);
  });

  it('do not make a row depend on others', async () => {
    const model = read();
    quantiseProducts(model, await measured());
    const together = await run(model, x);
    const few = await run(model, x.slice(0, 4 * WIDTH));
    for (const name of ['affine', 'flat'])
      expect(few[name]?.data).toEqual(together[name]?.data.slice(0, 4 * OUT));
  });

  it('tell products of equal weights and inputs apart by their biases, and leave values of two shapes alone', async () => {
    const g = new Graph();
    g.input('x', 'float32', ['rows', WIDTH]);
    const matrix = g.initializer('W', 'float32', [WIDTH, OUT], noise(WIDTH * OUT));
    for (const [i, output] of ['one', 'two'].entries()) {
      const bias = g.initializer(`b${i}`, 'float32', [OUT], noise(OUT));
      g.output(g.op('Gemm', ['x', matrix, bias]), 'float32', ['rows', OUT], output);
    }
    // [1, rows, width]: a product takes its last axis, the convolution has its channels (64 of 96 rows) in the middle.
    const deep = g.op('Reshape', [
      g.op('Slice', ['x', g.int64([0]), g.int64([64])]),
      g.int64([1, 64, WIDTH]),
    ]);
    const last = g.initializer('L', 'float32', [WIDTH, OUT], noise(WIDTH * OUT));
    g.output(g.op('MatMul', [deep, last]), 'float32', [1, 64, OUT], 'product');
    const kernel = g.initializer('K', 'float32', [OUT, 64, 2], noise(2 * 64 * OUT));
    const conv = g.op('Conv', [deep, kernel], { kernel_shape: [2], strides: [2] });
    g.output(g.op('Transpose', [conv], { perm: [0, 2, 1] }), 'float32', [1, 'frames', OUT], 'convolved');
    const path = join(folder, 'model.onnx');
    await writeModel(g, path);
    const exact = await run(read(), x);
    const means = await measured();
    const model = read();
    quantiseProducts(model, means);
    const found = await run(model, x);
    for (const name of ['one', 'two', 'product', 'convolved'])
      expect(kept(exact[name], found[name]), name).toBeGreaterThan(0.99);
  });
});
