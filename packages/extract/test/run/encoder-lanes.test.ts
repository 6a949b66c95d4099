import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { EncodedSteps, EncoderInput } from '../../src/features/form.ts';
import { DEFAULT_FEATURE_OPTIONS, type ModelReference } from '../../src/models/feature-options.ts';
import { EncoderLanes, lanesFor } from '../../src/run/encoder-lanes.ts';
import type { Encoder } from '../../src/run/encoder.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-lanes-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Answers when it is told to. */
class HeldEncoder implements Encoder {
  readonly devices = ['cpu'] as const;
  readonly lanes = 1;
  readonly sizes: number[] = [];
  closed = false;
  private readonly held: ((steps: EncodedSteps[][]) => void)[] = [];

  encode(_: number, inputs: readonly EncoderInput[]): Promise<EncodedSteps[][]> {
    this.sizes.push(...inputs.map(({ length }) => length));
    return new Promise((resolve) => this.held.push(resolve));
  }

  finish(): void {
    this.held.shift()?.([]);
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

describe('EncoderLanes', () => {
  it('gives each batch to the encoder with the least before it', async () => {
    const [a, b] = [new HeldEncoder(), new HeldEncoder()];
    const lanes = new EncoderLanes([a, b]);
    expect([lanes.lanes, lanes.devices]).toEqual([2, ['cpu']]);
    const first = lanes.encode(0, [new Float32Array(1000)], [0]);
    void lanes.encode(0, [new Float32Array(300), new Float32Array(300)], [0]);
    void lanes.encode(0, [new Float32Array(200)], [0]);
    expect([a.sizes, b.sizes]).toEqual([[1000], [300, 300, 200]]);
    a.finish();
    await first;
    void lanes.encode(0, [new Float32Array(50)], [0]);
    expect(a.sizes).toEqual([1000, 50]);
  });

  it('keeps long recordings in one, whose session keeps their memory', () => {
    const [a, b] = [new HeldEncoder(), new HeldEncoder()];
    const lanes = new EncoderLanes([a, b]);
    for (const seconds of [20, 35, 11, 13]) void lanes.encode(0, [new Float32Array(16_000 * seconds)], [0]);
    expect(a.sizes).toEqual([320_000, 560_000, 208_000]);
    expect(b.sizes).toEqual([176_000]);
    void lanes.encode(0, [new Int32Array(200_000)], [0]);
    expect(b.sizes).toEqual([176_000, 200_000]);
  });

  it('starts the first alone, which may have graphs to make', async () => {
    const begun: (() => void)[] = [];
    const start = (): Promise<Encoder> =>
      new Promise((resolve) => begun.push(() => resolve(new HeldEncoder())));
    const lanes = EncoderLanes.start(3, start);
    await Promise.resolve();
    expect(begun).toHaveLength(1);
    begun[0]?.();
    await new Promise(setImmediate);
    expect(begun).toHaveLength(3);
    for (const ready of begun) ready();
    expect((await lanes).lanes).toBe(3);
  });

  it('closes those that started when one does not', async () => {
    const started: HeldEncoder[] = [];
    const start = (): Promise<Encoder> => {
      if (started.length === 2) return Promise.reject(new Error('no memory'));
      const encoder = new HeldEncoder();
      started.push(encoder);
      return Promise.resolve(encoder);
    };
    await expect(EncoderLanes.start(3, start)).rejects.toThrow('no memory');
    expect(started.map(({ closed }) => closed)).toEqual([true, true]);
  });
});

describe('lanesFor', () => {
  const GIB = 2 ** 30;
  /** A model's folder with a checkpoint of so many bytes, none of which are on the disk. */
  const model = (name: string, bytes: number, compute: 'fp32' | 'int8'): ModelReference => {
    const at = join(folder, name);
    mkdirSync(at, { recursive: true });
    for (const [file, size] of [
      ['checkpoint-0.bin', bytes],
      ['model.int8-4.onnx', bytes / 4],
      ['model.cpu-1.onnx', bytes / 10],
      ['model.fp16.onnx', bytes / 2],
    ] as const) {
      writeFileSync(join(at, file), '');
      truncateSync(join(at, file), size);
    }
    return { folder: at, options: { ...DEFAULT_FEATURE_OPTIONS, compute } };
  };
  const large = (compute: 'fp32' | 'int8'): ModelReference => model('large', 1.3e9, compute);
  const base = (compute: 'fp32' | 'int8'): ModelReference => model('base', 0.5e9, compute);

  it('gives two threads two encoders where their weights are not too large', () => {
    expect(lanesFor([large('int8')], 2, 16 * GIB)).toBe(2);
    expect(lanesFor([large('int8'), base('int8')], 2, 16 * GIB)).toBe(2);
    expect(lanesFor([base('fp32')], 2, 16 * GIB)).toBe(2);
    expect(lanesFor([large('fp32')], 2, 16 * GIB)).toBe(1);
    expect(lanesFor([base('fp32'), large('fp32')], 2, 16 * GIB)).toBe(1);
  });

  it('has no more of them than threads, a few at most, and one on a small machine', () => {
    expect(lanesFor([base('int8')], 1, 16 * GIB)).toBe(1);
    expect(lanesFor([model('tiny', 1000, 'fp32')], 32, 64 * GIB)).toBe(4);
    expect(lanesFor([large('int8')], 2, 3 * GIB)).toBe(1);
  });
});
