import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createPrepared, Graph, modelBytes } from '../src/runtime.ts';

/** relu(x w + b) + 0, with parts that the runtime merges and drops. */
function layer(): Uint8Array {
  const graph = new Graph();
  graph.input('x', 'float32', ['n', 3]);
  const w = graph.constant('float32', [3, 2], [1, 2, -3, 4, 0.1, -0.7]);
  const sum = graph.op('Add', [graph.op('MatMul', ['x', w]), graph.constant('float32', [2], [0.3, 5])]);
  const same = graph.op('Identity', [graph.op('Identity', [graph.op('Relu', [sum])])]);
  graph.output(same, 'float32', ['n', 2], 'y');
  return modelBytes(graph);
}
const x = { data: Float32Array.of(1.1, -2.3, 0.7, 4, 5, 6), shape: [2, 3] };
const options = { device: 'cpu', threads: 1 } as const;

/** A temporary folder of its own for this test. */
function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lsgmer-test-'));
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  onTestFinished(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    rmSync(folder, { recursive: true });
  });
  return folder;
}

describe('createPrepared', () => {
  it('gives the optimised model, which computes the same bits, and leaves no file', async () => {
    const folder = temporary();
    const bytes = layer();
    const first = await createPrepared({ bytes, optimised: false }, options);
    expect(first.prepared.optimised).toBe(true);
    expect(first.prepared.bytes).not.toEqual(bytes);
    const second = await createPrepared(first.prepared, options);
    expect(second.prepared).toEqual(first.prepared);
    const expected = await first.session.run({ x });
    expect(expected['y']?.data).toHaveLength(4);
    expect(await second.session.run({ x })).toEqual(expected);
    expect(readdirSync(folder)).toEqual([]);
    await first.session.release();
    await second.session.release();
  });

  it('does without where no temporary file can be written', async () => {
    const folder = temporary();
    const file = join(folder, 'file');
    writeFileSync(file, '');
    process.env['TMPDIR'] = file;
    const bytes = layer();
    const { session, prepared } = await createPrepared({ bytes, optimised: false }, options);
    expect(prepared).toEqual({ bytes, optimised: false });
    expect((await session.run({ x }))['y']?.data).toHaveLength(4);
    await session.release();
  });

  it('says what is wrong with a model', async () => {
    temporary();
    await expect(
      createPrepared({ bytes: Uint8Array.of(1, 2, 3), optimised: false }, options),
    ).rejects.toThrow(/protobuf/i);
  });
});
