import { describe, expect, it } from 'vitest';
import { createSession, Graph, modelBytes, type Session } from '@lsgmer/onnx';

function doubling(): Promise<Session> {
  const graph = new Graph();
  graph.input('x', 'float32', ['n']);
  graph.input('half', 'float16', ['n']);
  graph.output(graph.op('Add', ['x', 'x']), 'float32', ['n'], 'twice');
  graph.output(graph.op('Neg', ['half']), 'float16', ['n'], 'negative');
  return createSession(modelBytes(graph), { device: 'cpu', threads: 1 });
}

const half = { data: Uint16Array.of(0x3c00, 0xc000), shape: [2] };
const x = { data: Float32Array.of(1, 2), shape: [2] };

describe('Session', () => {
  it('runs all outputs, or those that are asked for', async () => {
    const session = await doubling();
    expect(session.device).toBe('cpu');
    expect(await session.run({ x, half })).toEqual({
      twice: { data: Float32Array.of(2, 4), shape: [2] },
      negative: { data: Uint16Array.of(0xbc00, 0x4000), shape: [2] },
    });
    expect(Object.keys(await session.run({ x, half }, ['twice']))).toEqual(['twice']);
    await session.release();
  });

  it('writes into views of one larger array, and reads from them', async () => {
    const session = await doubling();
    const flat = Float32Array.of(9, 1, 2, 9, 9, 9);
    const fed = { data: flat.subarray(1, 3), shape: [2] };
    const target = { data: flat.subarray(4, 6), shape: [2] };
    const outputs = await session.run({ x: fed, half }, { twice: target, negative: null });
    expect([...flat]).toEqual([9, 1, 2, 9, 2, 4]);
    expect(outputs['twice']).toBe(target);
    expect(outputs['negative']?.data).toEqual(Uint16Array.of(0xbc00, 0x4000));
    await session.release();
  });

  it('says what is wrong with a feed', async () => {
    const session = await doubling();
    await expect(session.run({ y: x, half })).rejects.toThrow(
      'has no input or output y; it has x, half, twice',
    );
    await expect(session.run({ x: { data: x.data, shape: [3] }, half })).rejects.toThrow();
    await expect(session.run({ half })).rejects.toThrow("input 'x' is missing");
    await session.release();
  });

  it('cannot run once released; releasing twice is no error', async () => {
    const session = await doubling();
    await session.release();
    await session.release();
    await expect(session.run({ x, half })).rejects.toThrow('the session is released');
  });

  it('rejects what is no model', async () => {
    await expect(createSession(Uint8Array.of(1, 2, 3), { device: 'cpu' })).rejects.toThrow();
  });
});
