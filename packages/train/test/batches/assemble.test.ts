import { describe, expect, it } from 'vitest';
import { Assembler } from '../../src/batches/assemble.ts';
import { joinFeatures } from '../../src/batches/source.ts';
import type { BatchShape, Head, HostBatch } from '../../src/head/contract.ts';
import { lsgmer } from '../../src/head/lsgmer.ts';
import { MemorySource, utterances } from '../support/memory-source.ts';
import { halfToNumber } from '../support/tiny-head.ts';

const rows = utterances(12, 3);
const ids = rows.map((row) => row.id);
const sources = {
  text: new MemorySource('text', 5, ids, [1, 7]),
  audio: new MemorySource('audio', 6, ids, [2, 30], 0.0125, 0.02),
  map: new MemorySource('map', 14, ids, [1, 4], 0.25, 0.2),
};
const joined = joinFeatures(rows, sources);
const config = { d: 8, heads: 2, 'classifier.dropout': 0.25, 'audio.alexnet': 'time' };
const shape: BatchShape = { rows: 4, text: 9, audio: 33, map: 6 };

function assembler(head: Head = lsgmer, settings = config): Assembler {
  return new Assembler(head, settings, 3, joined, sources);
}

/** The contract's definitions, value by value. */
function naive(shape: BatchShape, items: readonly number[], total: number): { [name: string]: number[] } {
  const out: { [name: string]: number[] } = {};
  const fill = (
    name: string,
    steps: number,
    dim: number,
    value: (item: number, i: number, k: number) => number,
  ): void => {
    const values: number[] = [];
    out[name] = values;
    for (let r = 0; r < shape.rows; r++) {
      const item = items[r];
      for (let i = 0; i < steps; i++) {
        for (let k = 0; k < dim; k++) values.push(item === undefined ? 0 : value(item, i, k));
      }
    }
  };
  for (const name of ['text', 'audio', 'map'] as const) {
    const source = sources[name];
    const steps = (item: number): number => source.length(ids[item] as string) as number;
    fill(name, shape[name], source.dim, (item, i, k) =>
      i < steps(item)
        ? halfToNumber((source.rows.get(ids[item] as string) as Uint16Array)[i * source.dim + k] as number)
        : 0,
    );
    if (name !== 'map') fill(`${name}Mask`, shape[name], 1, (item, i) => (i < steps(item) ? 1 : 0));
  }
  fill('mapPosition', shape.audio, 1, (item, i) => {
    const frames = sources.audio.length(ids[item] as string) as number;
    const steps = sources.map.length(ids[item] as string) as number;
    if (i >= frames) return 0;
    return Math.fround(Math.min(Math.max((0.0125 + 0.02 * i - 0.25) / 0.2, 0), steps - 1));
  });
  fill('target', 1, 3, (item, _, k) => (rows[item]?.label === k ? 1 : 0));
  fill('weight', 1, 1, () => Math.fround(1 / total));
  return out;
}

function numbers(feed: Float32Array | Uint16Array): number[] {
  return Array.from(feed, (x) => (feed instanceof Uint16Array ? halfToNumber(x) : x));
}

function expectNaive(batch: HostBatch, items: readonly number[], total: number): void {
  const expected = naive(batch.shape, items, total);
  expect(Object.keys(batch.feeds).sort()).toEqual([...Object.keys(expected), 'dropout.classifier'].sort());
  for (const [name, values] of Object.entries(expected)) {
    expect(numbers(batch.feeds[name] as Float32Array), name).toEqual(values);
  }
}

describe('Assembler', () => {
  it('equals a naive assembly, value by value', async () => {
    const batch = await assembler().assemble({ shape, items: [3, 0, 7, 11] }, { rows: 9, firstRow: 0 });
    expect(batch.ids).toEqual([ids[3], ids[0], ids[7], ids[11]]);
    expectNaive(batch, [3, 0, 7, 11], 9);
  });

  it('pads missing rows with weight 0 and ignores what a buffer held before', async () => {
    const one = assembler();
    const larger = { rows: 6, text: 11, audio: 40, map: 7 };
    const first = await one.assemble({ shape: larger, items: [0, 1, 2, 3, 4, 5] }, { rows: 6, firstRow: 0 });
    const buffer = first.feeds['audio']?.buffer;
    one.release(first);
    const second = await one.assemble({ shape, items: [8, 2] }, { rows: 2, firstRow: 0 });
    expect(second.feeds['audio']?.buffer).toBe(buffer);
    expectNaive(second, [8, 2], 2);
    expect(numbers(second.feeds['weight'] as Float32Array)).toEqual([0.5, 0.5, 0, 0]);
  });

  it('gives a batch buffers of its own until it is released', async () => {
    const one = assembler();
    const first = await one.assemble({ shape, items: [1] }, { rows: 1, firstRow: 0 });
    const second = await one.assemble({ shape, items: [5] }, { rows: 1, firstRow: 0 });
    expectNaive(first, [1], 1);
    expectNaive(second, [5], 1);
  });

  it('draws dropout from seed, update and row: the same for one batch and for its parts', async () => {
    const dropout = { seed: 5, step: 17 };
    const whole = await assembler().assemble(
      { shape, items: [0, 1, 2, 3] },
      { rows: 4, firstRow: 0, dropout },
    );
    const half = { ...shape, rows: 2 };
    const parts = await Promise.all(
      [0, 2].map((at) =>
        assembler().assemble({ shape: half, items: [at, at + 1] }, { rows: 4, firstRow: at, dropout }),
      ),
    );
    const mask = numbers(whole.feeds['dropout.classifier'] as Float32Array);
    expect(parts.flatMap((part) => numbers(part.feeds['dropout.classifier'] as Float32Array))).toEqual(mask);
    expect(new Set(mask)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
    const next = await assembler().assemble(
      { shape, items: [0, 1, 2, 3] },
      { rows: 4, firstRow: 0, dropout: { seed: 5, step: 18 } },
    );
    expect(numbers(next.feeds['dropout.classifier'] as Float32Array)).not.toEqual(mask);
  });

  it('drops nothing without a draw', async () => {
    const batch = await assembler().assemble({ shape, items: [0, 1, 2, 3] }, { rows: 4, firstRow: 0 });
    expect(new Set(numbers(batch.feeds['dropout.classifier'] as Float32Array))).toEqual(new Set([1]));
  });

  it("pools the utterance's own map steps to six for the broadcast map", async () => {
    const broadcast = { ...config, 'audio.alexnet': 'broadcast', 'classifier.dropout': 0 };
    const batch = await assembler(lsgmer, broadcast).assemble(
      { shape, items: [0, 1, 2] },
      { rows: 3, firstRow: 0 },
    );
    const pool = batch.feeds['mapPool'] as Float32Array; // [4, 6, 6]
    for (let r = 0; r < 3; r++) {
      const steps = sources.map.length(ids[r] as string) as number;
      for (let bin = 0; bin < 6; bin++) {
        const row = Array.from(pool.subarray((r * 6 + bin) * 6, (r * 6 + bin + 1) * 6));
        const start = Math.floor((bin * steps) / 6);
        const end = Math.ceil(((bin + 1) * steps) / 6);
        expect(row).toEqual(row.map((_, s) => (s >= start && s < end ? Math.fround(1 / (end - start)) : 0)));
      }
    }
    expect(pool.subarray(3 * 36).every((x) => x === 0)).toBe(true);
    expect(batch.feeds['mapPosition']).toBeUndefined();
  });

  it('names an input that it cannot fill, and too many rows', async () => {
    const odd: Head = { ...lsgmer, inputs: () => [{ name: 'video', shape: [4, 3], dtype: 'float32' }] };
    await expect(assembler(odd).assemble({ shape, items: [0] }, { rows: 1, firstRow: 0 })).rejects.toThrow(
      'head lsgmer asks for the input video, which no batch has',
    );
    await expect(
      assembler().assemble({ shape, items: [0, 1, 2, 3, 4] }, { rows: 5, firstRow: 0 }),
    ).rejects.toThrow('5 utterances for 4 rows');
  });

  it('masks what an utterance lacks', async () => {
    const lacking = { ...sources, text: new MemorySource('text', 5, ids.slice(1), [1, 7]) };
    const partial = joinFeatures(rows, lacking, true);
    const made = new Assembler(lsgmer, config, 3, partial, lacking);
    const { feeds } = await made.assemble({ shape, items: [0, 1] }, { rows: 2, firstRow: 0 });
    expect([...(feeds['textMask'] as Float32Array).subarray(0, 3)]).toEqual([0, 0, 0]);
    expect((feeds['text'] as Uint16Array).subarray(0, 9 * 5).every((bits) => bits === 0)).toBe(true);
    expect((feeds['text'] as Uint16Array).subarray(9 * 5).some((bits) => bits !== 0)).toBe(true);
    const silent = { ...sources, map: new MemorySource('map', 14, ids.slice(1), [1, 4], 0.25, 0.2) };
    const deaf = new Assembler(lsgmer, config, 3, joinFeatures(rows, silent, true), silent);
    const heard = await deaf.assemble({ shape, items: [0, 1] }, { rows: 2, firstRow: 0 });
    expect((heard.feeds['audioMask'] as Float32Array).subarray(0, 33).reduce((a, b) => a + b, 0)).toBe(0);
    expect((heard.feeds['audio'] as Uint16Array).subarray(0, 33 * 6).every((bits) => bits === 0)).toBe(true);
    expect((heard.feeds['mapPosition'] as Float32Array).subarray(0, 33).every((x) => x === 0)).toBe(true);
  });

  it('drops modalities by seed, update and row of the update, never both, and never while scoring', async () => {
    const made = new Assembler(lsgmer, config, 3, joined, sources, { modalityDropout: 0.5 });
    const lost = async (items: number[], firstRow: number, step: number): Promise<string[]> => {
      const place = { rows: 8, firstRow, dropout: { seed: 3, step } };
      const batch = await made.assemble({ shape, items }, place);
      const found = items.map((_, r) => {
        const gone = (name: 'text' | 'audio', width: number): boolean =>
          (batch.feeds[name] as Uint16Array).subarray(r * width, (r + 1) * width).every((bits) => bits === 0);
        return `${gone('text', 45) ? 't' : ''}${gone('audio', 198) ? 'a' : ''}`;
      });
      made.release(batch);
      return found;
    };
    const all: string[] = [];
    for (let step = 0; step < 250; step++) all.push(...(await lost([0, 1, 2, 3], 0, step)));
    const share = (what: string): number => all.filter((one) => one === what).length / all.length;
    expect(share('ta')).toBe(0);
    expect(share('')).toBeCloseTo(0.5, 1);
    expect(share('t')).toBeCloseTo(0.25, 1);
    expect(await lost([0, 1, 2, 3], 0, 5)).toEqual([
      ...(await lost([0, 1], 0, 5)),
      ...(await lost([2, 3], 2, 5)),
    ]);
    const plain = await assembler().assemble({ shape, items: [0, 1] }, { rows: 2, firstRow: 0 });
    const scoring = await made.assemble({ shape, items: [0, 1] }, { rows: 2, firstRow: 0 });
    expect(scoring.feeds).toEqual(plain.feeds);
  });

  it('standardises real steps only, as float32, and gives both kinds of buffers back', async () => {
    const standard = { mean: new Float32Array(5).fill(0.5), sd: new Float32Array(5).fill(2) };
    const standards = {
      of: (input: string) => (input === 'text' ? standard : undefined),
      named: {},
    };
    const made = new Assembler(lsgmer, config, 3, joined, sources, { standards });
    const plain = await assembler().assemble({ shape, items: [2, 5] }, { rows: 2, firstRow: 0 });
    for (let round = 0; round < 2; round++) {
      const batch = await made.assemble({ shape, items: [2, 5] }, { rows: 2, firstRow: 0 });
      expect(batch.feeds['audio']).toEqual(plain.feeds['audio']);
      const text = batch.feeds['text'] as Float32Array;
      expect(text).toBeInstanceOf(Float32Array);
      for (const [i, bits] of (plain.feeds['text'] as Uint16Array).entries()) {
        const [row, step] = [Math.floor(i / 45), Math.floor((i % 45) / 5)];
        const real = row < 2 && step < (joined.lengths[[2, 5][row] as number]?.text as number);
        expect(text[i]).toBe(real ? Math.fround((halfToNumber(bits) - 0.5) / 2) : 0);
      }
      made.release(batch);
    }
  });
});
