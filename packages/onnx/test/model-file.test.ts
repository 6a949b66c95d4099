import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSession, fileTensor, float, Graph, ModelFile, modelBytes, writeModel } from '@lsgmer/onnx';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lsgmer-model-file-'));
});
afterAll(() => rm(folder, { recursive: true }));

const W = Float32Array.of(1, 2, 3, 4, 5, 6);

function graph(weights: Parameters<Graph['initializer']>[3] = W): Graph {
  const g = new Graph('affine');
  g.input('x', 'float32', ['rows', 2]);
  const product = g.op('MatMul', ['x', g.initializer('W', 'float32', [2, 3], weights)]);
  const bent = g.op('LeakyRelu', [product], { alpha: float(0.25) });
  g.output(g.op('Transpose', [bent], { perm: [1, 0] }), 'float32', [3, 'rows'], 'y');
  return g;
}

describe('ModelFile', () => {
  it('gives a model back as it was', async () => {
    const [path, copy] = [join(folder, 'a.onnx'), join(folder, 'b.onnx')];
    await writeModel(graph(), path);
    const model = ModelFile.read(path);
    expect(model.opset).toBe(17);
    expect(model.nodes.map(({ type }) => type)).toEqual(['MatMul', 'LeakyRelu', 'Transpose', 'Identity']);
    expect(model.inputs).toMatchObject([{ name: 'x', type: 1 }]);
    expect(model.initializers).toMatchObject([{ name: 'W', shape: [2, 3], type: 1 }]);
    expect(model.floats(model.initializers[0] as never)).toEqual(W);
    await model.write(copy);
    const session = await createSession(copy, { device: 'cpu' });
    const { y } = await session.run({ x: { data: Float32Array.of(1, -1, 0, 2), shape: [2, 2] } });
    await session.release();
    // [[-3, -3, -3], [8, 10, 12]], negatives to a quarter, turned
    expect(y).toEqual({ data: Float32Array.of(-0.75, 8, -0.75, 10, -0.75, 12), shape: [3, 2] });
  });

  it('reads weights that lie beside the file, and leaves them there', async () => {
    const path = join(folder, 'external.onnx');
    await writeFile(join(folder, 'weights.bin'), Buffer.concat([Buffer.alloc(64), Buffer.from(W.buffer)]));
    await writeModel(graph({ location: 'weights.bin', offset: 64, length: 24 }), path);
    const model = ModelFile.read(path);
    expect(model.floats(model.initializers[0] as never)).toEqual(W);
    await model.write(path);
    expect((await readFile(path)).includes(Buffer.from(W.buffer))).toBe(false);
    await createSession(path, { device: 'cpu' }).then((session) => session.release());
  });

  it('never gives a name twice', async () => {
    const path = join(folder, 'names.onnx');
    await writeModel(graph(), path);
    const model = ModelFile.read(path);
    expect([model.fresh('W'), model.fresh('W'), model.fresh('new')]).toEqual(['W_1', 'W_2', 'new']);
  });

  it('says which file is no model', async () => {
    const path = join(folder, 'garbage.onnx');
    await writeFile(path, 'this is no model');
    expect(() => ModelFile.read(path)).toThrow(/garbage\.onnx is not an ONNX model that can be read/);
    await writeFile(path, modelBytes(graph()).subarray(0, 60));
    expect(() => ModelFile.read(path)).toThrow(/bytes, \d+ are left|ends inside a number/);
    expect(() => ModelFile.read(join(folder, 'absent.onnx'))).toThrow(/ENOENT/);
  });

  it('reads floats only as floats', async () => {
    const path = join(folder, 'types.onnx');
    await writeModel(graph(), path);
    const model = ModelFile.read(path);
    const bytes = fileTensor('b', 'int8', [2], Int8Array.of(1, 2));
    expect(() => model.floats(bytes)).toThrow('b is not of type float32');
  });
});
