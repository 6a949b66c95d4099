import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSession, float, floats, Graph, modelBytes, modelChunks, writeModel } from '@lsgmer/onnx';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lsgmer-onnx-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** y = x W + b with W in the model or beside it. */
function affine(weights: Parameters<Graph['initializer']>[3]): Graph {
  const graph = new Graph('affine');
  graph.input('x', 'float32', ['rows', 2]);
  const product = graph.op('MatMul', ['x', graph.initializer('W', 'float32', [2, 3], weights)]);
  const shifted = graph.op('Add', [product, graph.scalar(0.5)]);
  graph.output(shifted, 'float32', ['rows', 3], 'y');
  return graph;
}

const W = Float32Array.of(1, 2, 3, 4, 5, 6);
const x = { data: Float32Array.of(1, 1, 0, 2), shape: [2, 2] };
const y = Float32Array.of(5.5, 7.5, 9.5, 8.5, 10.5, 12.5);

describe('model writer, read by onnxruntime', () => {
  it('bytes, with a symbolic dimension', async () => {
    const session = await createSession(modelBytes(affine(W)), { device: 'cpu' });
    expect(session.inputs).toEqual([{ name: 'x', type: 'float32', shape: ['rows', 2] }]);
    expect(session.outputs).toEqual([{ name: 'y', type: 'float32', shape: ['rows', 3] }]);
    expect(await session.run({ x })).toEqual({ y: { data: y, shape: [2, 3] } });
    await session.release();
  });

  it('a file equals the bytes', async () => {
    const path = join(folder, 'affine.onnx');
    const size = await writeModel(affine(W), path);
    const bytes = await readFile(path);
    expect(bytes.length).toBe(size);
    expect(new Uint8Array(bytes)).toEqual(modelBytes(affine(W)));
  });

  it('weights in a file beside the model', async () => {
    await writeFile(join(folder, 'weights.bin'), Buffer.concat([Buffer.alloc(64), Buffer.from(W.buffer)]));
    const path = join(folder, 'external.onnx');
    await writeModel(affine({ location: 'weights.bin', offset: 64, length: 24 }), path);
    const session = await createSession(path, { device: 'cpu' });
    expect((await session.run({ x })).y?.data).toEqual(y);
    await session.release();
  });

  it('does not copy large weights', () => {
    const graph = new Graph();
    const large = new Float32Array(10_000);
    graph.output(graph.initializer('w', 'float32', [10_000], large), 'float32', [10_000], 'y');
    expect(modelChunks(graph).some((chunk) => chunk.buffer === large.buffer)).toBe(true);
  });

  it('every element type and every kind of attribute', async () => {
    const graph = new Graph();
    graph.input('x', 'float32', [3]);
    const half = graph.initializer('half', 'float16', [3], Uint16Array.of(0x3c00, 0xc000, 0x3800));
    const small = graph.initializer('small', 'int8', [3], Int8Array.of(-1, 2, 3));
    const flags = graph.initializer('flags', 'bool', [3], Uint8Array.of(1, 0, 1));
    const bytes = graph.initializer('bytes', 'uint8', [3], [7, 8, 255]);
    const wide = graph.initializer('wide', 'int64', [3], BigInt64Array.of(2n, 1n, 0n));
    const narrow = graph.initializer('narrow', 'int32', [3], [4, 5, -6]);
    const asFloat = (value: string): string => graph.op('Cast', [value], { to: 1 });
    const picked = graph.op('Where', [flags, asFloat(half), asFloat(small)]);
    const summed = graph.op('Sum', [picked, asFloat(bytes), asFloat(wide), asFloat(narrow)]);
    graph.output(graph.op('LeakyRelu', ['x'], { alpha: float(1) }), 'float32', [3], 'leaky');
    graph.output(summed, 'float32', [3], 'summed');
    graph.output(graph.op('Constant', [], { value_floats: floats([1, 2.5]) }), 'float32', [2], 'listed');
    const split = graph.opN('Split', [summed, graph.int64([1, 2])], { axis: -1 }, ['first', 'rest']);
    for (const [i, name] of split.entries()) graph.output(name, 'float32', [i + 1]);
    const column = graph.op('Reshape', ['x', graph.int64([3, 1])]);
    graph.output(
      graph.op('Einsum', [column, column], { equation: 'ij,ik->jk' }),
      'float32',
      [1, 1],
      'square',
    );
    graph.output(graph.op('Transpose', [column], { perm: [1, 0] }), 'float32', [1, 3], 'row');
    const session = await createSession(modelBytes(graph), { device: 'cpu' });
    const outputs = await session.run({ x: { data: Float32Array.of(-1, 0, 2), shape: [3] } });
    await session.release();
    const values = Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, [...data]]));
    expect(values).toEqual({
      leaky: [-1, 0, 2],
      summed: [14, 16, 249.5],
      first: [14],
      rest: [16, 249.5],
      listed: [1, 2.5],
      square: [5],
      row: [-1, 0, 2],
    });
  });

  it('asks for float() where a number is no integer', () => {
    const graph = new Graph();
    graph.input('x', 'float32', [3]);
    graph.op('Elu', ['x'], { alpha: 0.5 });
    expect(() => modelBytes(graph)).toThrow('attribute alpha of Elu is 0.5: mark floats with float()');
  });
});
