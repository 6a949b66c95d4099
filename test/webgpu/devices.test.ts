import { describe, expect, it } from 'vitest';
import { chooseDevice, createSession, Graph, modelBytes, probeDevices } from '@lsgmer/onnx/runtime';
import { largestError } from '../../packages/extract/test/support.ts';
import { DEVICE, SOFTWARE, TOLERANCE } from './device.ts';

describe(`the device ${DEVICE}`, () => {
  it('works, and auto takes it unless it is a software GPU', async () => {
    const report = (await probeDevices()).find(({ device }) => device === DEVICE);
    expect(report).toMatchObject({ available: true, reason: '' });
    expect(report?.software).toBe(SOFTWARE);
    if (SOFTWARE) expect(report?.adapter).toMatch(/^llvmpipe/);
    expect(await chooseDevice(DEVICE)).toBe(DEVICE);
    if (SOFTWARE) expect(await chooseDevice('auto')).toBe('cpu');
    else expect(await chooseDevice('auto')).not.toBe('cpu');
  });

  it('takes float16, int64, int32 and bool, and writes into memory that it is given', async () => {
    const graph = new Graph();
    graph.input('half', 'float16', ['n']);
    graph.input('whole', 'int64', ['n']);
    graph.input('kept', 'bool', ['n']);
    graph.input('small', 'int32', ['n']);
    const float = (name: string): string => graph.op('Cast', [name], { to: 1 });
    const sum = graph.op('Add', [graph.op('Add', [float('half'), float('whole')]), float('small')]);
    graph.output(graph.op('Where', ['kept', sum, graph.scalar(-1)]), 'float32', ['n'], 'sum');
    graph.output(graph.op('Neg', ['half']), 'float16', ['n'], 'negative');
    const session = await createSession(modelBytes(graph), { device: DEVICE, threads: 1 });
    expect(session.device).toBe(DEVICE);
    const memory = new Float32Array(8).fill(9);
    const feeds = {
      half: { data: Uint16Array.of(0x3c00, 0xc000, 0x3800), shape: [3] }, // 1, -2, 0.5
      whole: { data: BigInt64Array.of(10n, 20n, 30n), shape: [3] },
      kept: { data: Uint8Array.of(1, 0, 1), shape: [3] },
      small: { data: Int32Array.of(100, 200, 300), shape: [3] },
    };
    const { negative } = await session.run(feeds, {
      sum: { data: memory.subarray(2, 5), shape: [3] },
      negative: null,
    });
    expect([...memory]).toEqual([9, 9, 111, -1, 330.5, 9, 9, 9]);
    expect(negative?.data).toEqual(Uint16Array.of(0xbc00, 0x4000, 0xb800));
    await session.release();
    await expect(session.run(feeds)).rejects.toThrow('the session is released');
  });

  // Inputs, outputs, groups. The later ones onnxruntime 1.30 computes wrongly on WebGPU with channels last.
  it.each([
    [96, 96, 1],
    [3, 64, 1],
    [10, 16, 1],
    [96, 96, 24],
    [64, 64, 32],
    [1024, 1024, 16],
    [768, 768, 16],
    [96, 96, 16],
    [60, 60, 12],
    [60, 60, 4],
    [90, 90, 9],
    [62, 62, 2],
    [6, 4, 1],
    [9, 16, 1],
    [30, 64, 1],
  ])('convolutions of %i channels to %i in %i groups', async (channels, outputs, group) => {
    const graph = new Graph();
    const [kernel, samples] = [5, 40];
    const shape = [outputs, channels / group, kernel];
    const weights = Float32Array.from(
      { length: outputs * (channels / group) * kernel },
      (_, i) => 0.1 * Math.sin(1.7 * i),
    );
    graph.input('x', 'float32', ['rows', channels, 'n']);
    const attributes = { group, pads: [2, 2] };
    const convolved = graph.op('Conv', ['x', graph.constant('float32', shape, weights)], attributes);
    graph.output(convolved, 'float32', ['rows', outputs, 'm'], 'y');
    const data = Float32Array.from({ length: 2 * channels * samples }, (_, i) => Math.cos(0.37 * i));
    const feeds = { x: { data, shape: [2, channels, samples] } };
    const found = [];
    for (const device of ['cpu', DEVICE] as const) {
      const session = await createSession(modelBytes(graph), { device, threads: 1 });
      found.push((await session.run(feeds))['y']?.data);
      await session.release();
    }
    expect(largestError(found[1] as Float32Array, found[0] as Float32Array)).toBeLessThan(TOLERANCE);
  });

  // Rows, inner size, columns, across the kernels' tiles and vector widths.
  it.each([
    [1, 1, 1],
    [1, 6, 4],
    [5, 9, 16],
    [33, 30, 7],
    [32, 64, 32],
    [65, 129, 66],
    [200, 1024, 48],
  ])('products of %i x %i x %i, as MatMul and as Gemm with turned weights', async (rows, inner, columns) => {
    const values = (count: number, step: number): Float32Array =>
      Float32Array.from({ length: count }, (_, i) => Math.sin(step * i));
    const graph = new Graph();
    graph.input('x', 'float32', ['rows', inner]);
    const right = graph.constant('float32', [inner, columns], values(inner * columns, 1.7));
    const turned = graph.constant('float32', [columns, inner], values(inner * columns, 0.9));
    graph.output(graph.op('MatMul', ['x', right]), 'float32', ['rows', columns], 'product');
    graph.output(graph.op('Gemm', ['x', turned], { transB: 1 }), 'float32', ['rows', columns], 'turned');
    const feeds = { x: { data: values(rows * inner, 0.37), shape: [rows, inner] } };
    const found = [];
    for (const device of ['cpu', DEVICE] as const) {
      const session = await createSession(modelBytes(graph), { device, threads: 1 });
      found.push(await session.run(feeds));
      await session.release();
    }
    for (const name of ['product', 'turned']) {
      const [cpu, gpu] = found.map((outputs) => outputs[name]?.data as Float32Array);
      expect(largestError(gpu ?? [], cpu ?? [0])).toBeLessThan(TOLERANCE);
    }
  });
});
