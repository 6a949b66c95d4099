import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSession, Graph, type HostTensor, ModelFile, quantiseProducts, writeModel } from '@lsgmer/onnx';
import { quantiseMatrix } from '../src/integer-products.ts';
import { noiseFrom } from './noise.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lsgmer-quantise-'));
});
afterAll(() => rm(folder, { recursive: true }));

const noise = noiseFrom(1);

const [IN, OUT] = [96, 64];
const weights = noise(IN * OUT);
const bias = noise(OUT);

/** Weights as Gemm takes them (turned) or as MatMul does; both products read x. */
function graph(): Graph {
  const g = new Graph();
  g.input('x', 'float32', ['batch', 'rows', IN]);
  const turned = Float32Array.from(
    { length: IN * OUT },
    (_, i) => weights[(i % IN) * OUT + Math.floor(i / IN)] as number,
  );
  const matrix = g.initializer('W', 'float32', [IN, OUT], weights);
  g.output(g.op('MatMul', ['x', matrix]), 'float32', ['batch', 'rows', OUT], 'product');
  const flat = g.op('Reshape', ['x', g.int64([-1, IN])]);
  const gemm = [
    flat,
    g.initializer('V', 'float32', [OUT, IN], turned),
    g.initializer('b', 'float32', [OUT], bias),
  ];
  g.output(g.op('Gemm', gemm, { transB: 1 }), 'float32', ['all', OUT], 'affine');
  const small = g.initializer('small', 'float32', [IN, 2], noise(2 * IN));
  g.output(g.op('MatMul', ['x', small]), 'float32', ['batch', 'rows', 2], 'kept');
  return g;
}

async function quantised(): Promise<{ path: string; model: ModelFile; changed: number }> {
  const path = join(folder, 'model.onnx');
  await writeModel(graph(), path);
  const model = ModelFile.read(path);
  const changed = quantiseProducts(model);
  await model.write(join(folder, 'int8.onnx'));
  return { path: join(folder, 'int8.onnx'), model, changed };
}

/** The graph as it is and quantised, each run by name. */
async function both(g: Graph): Promise<{
  model: ModelFile;
  changed: number;
  readonly run: (
    which: 'fp32' | 'int8',
    feeds: { [name: string]: HostTensor },
  ) => Promise<Record<string, HostTensor>>;
}> {
  const paths = { fp32: join(folder, 'both.onnx'), int8: join(folder, 'both.int8.onnx') };
  await writeModel(g, paths.fp32);
  const model = ModelFile.read(paths.fp32);
  const changed = quantiseProducts(model);
  await model.write(paths.int8);
  const run = async (
    which: 'fp32' | 'int8',
    feeds: { [name: string]: HostTensor },
  ): Promise<Record<string, HostTensor>> => {
    const session = await createSession(paths[which], { device: 'cpu', threads: 1 });
    const results = await session.run(feeds);
    await session.release();
    return results;
  };
  return { model, changed, run };
}

/** The nearest whole number, halves to the even one. */
const even = (value: number): number =>
  Math.abs(value % 1) === 0.5 ? 2 * Math.round(value / 2) : Math.round(value);

/** The arithmetic by hand, in doubles: whole steps of both sides, summed as integers. Zero is byte 91 (or 17) of 181. */
function byHand(row: Float32Array, matrix = weights, outputs = OUT, zero = 91): number[] {
  const { bytes, steps } = quantiseMatrix(matrix, row.length, outputs, false);
  const step = Math.fround(Math.max(Math.max(...row) / (181 - zero), -Math.min(...row) / zero));
  return Array.from({ length: outputs }, (_, o) => {
    let sum = 0;
    row.forEach((value, i) => (sum += even(value / step) * (bytes[i * outputs + o] as number)));
    return sum * step * (steps[o] as number);
  });
}

describe('quantiseProducts', () => {
  it('computes whole steps of weights and activations, as by hand', async () => {
    const { path, model, changed } = await quantised();
    expect(changed).toBe(2);
    expect(model.initializers.map(({ name }) => name)).not.toContain('W');
    const session = await createSession(path, { device: 'cpu', threads: 1 });
    const x = noise(3 * IN).map((value, i) => value * (1 + Math.floor(i / IN)));
    const { product, affine } = await session.run({ x: { data: x, shape: [1, 3, IN] } });
    await session.release();
    for (let row = 0; row < 3; row++) {
      const expected = byHand(x.subarray(row * IN, (row + 1) * IN));
      expected.forEach((value, o) => {
        expect(product?.data[row * OUT + o]).toBeCloseTo(value, 4);
        expect(affine?.data[row * OUT + o]).toBeCloseTo(value + (bias[o] as number), 4);
      });
    }
  });

  it('gives a row the same bits alone and among rows of any size', async () => {
    const { path } = await quantised();
    const session = await createSession(path, { device: 'cpu', threads: 2 });
    const x = noise(8 * 5 * IN).map((value, i) => value * (i % 7 === 0 ? 1000 : 1));
    const names = ['product', 'kept'];
    const together = await session.run({ x: { data: x, shape: [8, 5, IN] } }, names);
    for (let b = 0; b < 8; b++) {
      const alone = await session.run(
        { x: { data: x.slice(b * 5 * IN, (b + 1) * 5 * IN), shape: [1, 5, IN] } },
        names,
      );
      for (const name of names) {
        const size = alone[name]?.data.length as number;
        expect(together[name]?.data.slice(b * size, (b + 1) * size)).toEqual(alone[name]?.data);
      }
    }
    await session.release();
  });

  it('keeps the fidelity that 8 bits allow, and rows of zeros finite', async () => {
    const { path } = await quantised();
    const exact = await createSession(join(folder, 'model.onnx'), { device: 'cpu', threads: 1 });
    const session = await createSession(path, { device: 'cpu', threads: 1 });
    const x = { data: noise(4 * IN).fill(0, 0, IN), shape: [1, 4, IN] };
    const [found, wanted] = [await session.run({ x }), await exact.run({ x })];
    const data = found['product']?.data as Float32Array;
    expect([...data.subarray(0, OUT)].every((value) => value === 0)).toBe(true);
    let [dot, a, b] = [0, 0, 0];
    (wanted['product'] as { data: Float32Array }).data.forEach((value, i) => {
      dot += value * (data[i] as number);
      a += value ** 2;
      b += (data[i] as number) ** 2;
    });
    expect(dot / Math.sqrt(a * b)).toBeGreaterThan(0.9999);
    expect(found['kept']).toEqual(wanted['kept']);
    await session.release();
    await exact.release();
  });

  it('gives what leaves a relu or a gelu more steps above zero', async () => {
    for (const spelt of [false, true]) {
      const g = new Graph();
      g.input('x', 'float32', ['rows', IN]);
      const half = g.op('Mul', ['x', g.scalar(Math.SQRT1_2)]);
      const erf = g.op('Add', [g.op('Erf', [half]), g.scalar(1)]);
      const active = spelt ? g.op('Mul', [g.op('Mul', ['x', erf]), g.scalar(0.5)]) : g.op('Relu', ['x']);
      g.output(active, 'float32', ['rows', IN], 'active');
      const matrix = g.initializer('W', 'float32', [IN, OUT], weights);
      g.output(g.op('MatMul', [active, matrix]), 'float32', ['rows', OUT], 'product');
      const { run } = await both(g);
      const { active: row, product } = await run('int8', { x: { data: noise(IN), shape: [1, IN] } });
      byHand(row?.data as Float32Array, weights, OUT, 17).forEach((value, o) =>
        expect(product?.data[o]).toBeCloseTo(value, 4),
      );
    }
  });

  it('leaves what another graph within the model may see', async () => {
    const g = new Graph();
    g.input('x', 'float32', ['rows', IN]);
    g.input('which', 'bool', []);
    const matrix = g.initializer('W', 'float32', [IN, OUT], weights);
    const [first, second] = [g.subgraph(), g.subgraph()];
    first.output(first.op('MatMul', ['x', matrix]), 'float32', ['rows', OUT]);
    second.output(second.op('Neg', [second.op('MatMul', ['x', matrix])]), 'float32', ['rows', OUT]);
    g.output(
      g.op('If', ['which'], { then_branch: first, else_branch: second }),
      'float32',
      ['rows', OUT],
      'chosen',
    );
    g.output(g.op('MatMul', ['x', matrix]), 'float32', ['rows', OUT], 'product');
    const { run } = await both(g);
    const feeds = {
      x: { data: noise(IN), shape: [1, IN] },
      which: { data: Uint8Array.of(0), shape: [] },
    };
    const [found, wanted] = [await run('int8', feeds), await run('fp32', feeds)];
    expect(found['chosen']).toEqual(wanted['chosen']);
    expect(found['product']).not.toEqual(wanted['product']);
  });

  it('refuses operators that are too old', async () => {
    const { model } = await quantised();
    Object.defineProperty(model, 'opset', { value: 12 });
    expect(() => quantiseProducts(model)).toThrow('the model uses operator set 12, int8 needs 13 or newer');
  });
});
