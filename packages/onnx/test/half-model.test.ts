import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSession, ELEMENT_TYPES, Graph, halvePrecision, ModelFile, writeModel } from '@lsgmer/onnx';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lsgmer-half-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Bits of numbers that float16 holds exactly. */
const BITS = new Map([
  [0, 0],
  [1, 0x3c00],
  [-2, 0xc000],
  [0.5, 0x3800],
  [65_504, 0x7bff],
  [-65_504, 0xfbff],
]);
const toHalf = (values: Float32Array): Uint16Array =>
  Uint16Array.from(values, (value) => BITS.get(value === 0 ? 0 : value) ?? Number.NaN);

describe('halvePrecision', () => {
  it('computes in float16 between inputs and outputs of float32', async () => {
    const g = new Graph();
    g.input('x', 'float32', ['rows', 2]);
    g.input('mask', 'int64', ['rows', 2]);
    const real = g.op('Cast', ['mask'], { to: 1 });
    const lowest = g.op('Mul', [g.op('Sub', [g.scalar(1), real]), g.scalar(-3.4028234663852886e38)]);
    const product = g.op('MatMul', [
      'x',
      g.initializer('W', 'float32', [2, 2], Float32Array.of(1, -2, 0.5, 1)),
    ]);
    g.output(g.op('Add', [product, lowest]), 'float32', ['rows', 2], 'y');
    g.output(g.op('Mul', ['y', g.scalar(0.5)]), 'float32', ['rows', 2], 'z');
    const [path, half] = [join(folder, 'full.onnx'), join(folder, 'half.onnx')];
    await writeModel(g, path);
    const model = ModelFile.read(path);
    halvePrecision(model, toHalf);
    await model.write(half);
    const session = await createSession(half, { device: 'cpu', threads: 1 });
    const outputs = await session.run({
      x: { data: Float32Array.of(1, 2, 0, 0), shape: [2, 2] },
      mask: { data: BigInt64Array.of(1n, 1n, 1n, 0n), shape: [2, 2] },
    });
    await session.release();
    // What is masked becomes the lowest float16. (Between nodes the CPU may keep float32, which is no less exact.)
    expect(outputs['y']).toEqual({ data: Float32Array.of(2, 0, 0, -65_504), shape: [2, 2] });
    expect(outputs['z']).toEqual({ data: Float32Array.of(1, 0, 0, -32_752), shape: [2, 2] });
    expect(model.initializers.every(({ type }) => type !== ELEMENT_TYPES.float32)).toBe(true);
    expect(
      model.nodes
        .filter(({ type }) => type === 'Cast')
        .map(({ inputs, outputs: made }) => [inputs[0], made[0]]),
    ).toEqual([
      ['x', 'x_half'],
      ['mask', 'Cast_0'],
      ['y_half', 'y'],
      ['z_half', 'z'],
    ]);
  });

  it('says so where a node holds a graph', async () => {
    const g = new Graph();
    g.input('c', 'bool', []);
    const branch = (value: number): Graph => {
      const body = g.subgraph(`b${value}`);
      body.output(body.op('Identity', [g.scalar(value)]), 'float32', []);
      return body;
    };
    g.output(g.op('If', ['c'], { then_branch: branch(1), else_branch: branch(0) }), 'float32', [], 'y');
    const path = join(folder, 'if.onnx');
    await writeModel(g, path);
    const model = ModelFile.read(path);
    expect(() => halvePrecision(model, toHalf)).toThrow('node If holds a graph of its own');
  });
});
