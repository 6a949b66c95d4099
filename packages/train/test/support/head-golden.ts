import { readFileSync } from 'node:fs';
import { lsgmer } from '../../src/head/lsgmer.ts';
import type { BatchShape, FeatureDims, Head, HeadConfig, HostBatch } from '../../src/head/contract.ts';
import { mapPoolWeights, mapPositions, type StepTimes } from '../../src/head/interpolation.ts';
import { decodeSafetensors } from '../../src/fit/safetensors.ts';

/** What test/golden/head/write.py wrote; see there. */
interface About {
  readonly rows: number;
  readonly tokens: number;
  readonly frames: number;
  readonly steps: number;
  readonly classes: number;
  readonly dims: FeatureDims;
  readonly lengths: { readonly text: number[]; readonly audio: number[]; readonly map: number[] };
  readonly times: { readonly audio: StepTimes; readonly map: StepTimes };
  readonly target: number[];
  readonly training: {
    readonly steps: number;
    readonly epoch: number;
    readonly lr: number;
    readonly decay: number;
    readonly beta1: number;
    readonly beta2: number;
    readonly eps: number;
  };
}

export interface GoldenCase {
  readonly name: string;
  readonly config: HeadConfig;
  /** name, shape, scale, offset */
  readonly parameters: [string, number[], number, number][];
  readonly loss?: number;
  readonly ce?: number;
  readonly apc?: number;
  readonly logits?: number[];
  readonly losses?: number[];
}

const folder = new URL('../../../../test/golden/head/', import.meta.url);
const { about, cases } = JSON.parse(readFileSync(new URL('lsgmer.json', folder), 'utf8')) as {
  about: About;
  cases: GoldenCase[];
};
const { tensors } = decodeSafetensors(readFileSync(new URL('lsgmer.safetensors', folder)));

export { about, cases };
export const goldenDims = about.dims;

/** A stored tensor, for instance `default/gradient`. */
export function goldenTensor(name: string): Float32Array {
  const tensor = tensors[name];
  if (!tensor) throw new Error(`no golden tensor ${name}`);
  return tensor.values;
}

export function goldenCase(name: string): GoldenCase {
  const found = cases.find((entry) => entry.name === name);
  if (!found) throw new Error(`no golden case ${name}`);
  return found;
}

/** write.py's `stream`: values in [-1, 1) by a linear congruential generator seeded with the name's FNV-1a hash. */
export function stream(name: string, count: number): Float64Array {
  let state = 0x811c9dc5;
  for (const byte of Buffer.from(name)) state = Math.imul(state ^ byte, 0x01000193) >>> 0;
  const out = new Float64Array(count);
  for (let i = -4; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    if (i >= 0) out[i] = (state >>> 8) / 2 ** 23 - 1;
  }
  return out;
}

export function drawn(name: string, shape: readonly number[], scale = 1, offset = 0): Float32Array {
  const size = shape.reduce((a, b) => a * b, 1);
  return Float32Array.from(stream(name, size), (value) => offset + scale * value);
}

/** The case's parameters, flat, in its order. */
export function goldenParameters(entry: GoldenCase): Float32Array {
  const parts = entry.parameters.map(([name, shape, scale, offset]) => drawn(name, shape, scale, offset));
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** What is added to the golden batch (or, negative, cut off): steps and rows of padding, filled with `junk`. */
export interface Padding {
  readonly text?: number;
  readonly audio?: number;
  readonly map?: number;
  readonly rows?: number;
  readonly junk?: number;
}

/** The golden batch, or some of its rows, as the batch maker would lay it out. */
export function goldenBatch(
  config: HeadConfig,
  padding: Padding = {},
  rows?: readonly number[],
  head: Head = lsgmer,
): HostBatch {
  const { dims, lengths, classes } = about;
  const chosen = rows ?? lengths.text.map((_, row) => row);
  const shape: BatchShape = {
    rows: chosen.length + (padding.rows ?? 0),
    text: about.tokens + (padding.text ?? 0),
    audio: about.frames + (padding.audio ?? 0),
    map: about.steps + (padding.map ?? 0),
  };
  const feeds: { [name: string]: Float32Array } = {};
  for (const { name, shape: size } of head.inputs(config, dims, classes, shape)) {
    const out = new Float32Array(size.reduce((a, b) => a * b, 1));
    const width = out.length / shape.rows;
    if (name === 'text' || name === 'audio' || name === 'map') {
      out.fill(padding.junk ?? 0);
      const steps = { text: about.tokens, audio: about.frames, map: about.steps }[name];
      const source = drawn(`batch.${name}`, [about.rows, steps, dims[name]], 2);
      const used = steps * dims[name];
      chosen.forEach((row, at) =>
        out.set(source.subarray(row * used, row * used + Math.min(used, width)), at * width),
      );
    }
    chosen.forEach((row, at) => {
      const values = out.subarray(at * width, (at + 1) * width);
      const frames = lengths.audio[row] as number;
      const steps = lengths.map[row] as number;
      if (name === 'textMask') values.fill(1, 0, lengths.text[row]);
      else if (name === 'audioMask') values.fill(1, 0, frames);
      else if (name === 'mapPosition')
        mapPositions(frames, steps, about.times.audio, about.times.map, values);
      else if (name === 'mapPool') values.set(mapPoolWeights(steps, shape.map));
      else if (name === 'target') values[about.target[row] as number] = 1;
      else if (name === 'weight') values[0] = 1 / chosen.length;
      else if (name === 'dropout.classifier') values.set(droppedRow(config, row, width));
    });
    feeds[name] = out;
  }
  return { shape, ids: chosen.map((row) => `row-${row}`), feeds };
}

function droppedRow(config: HeadConfig, row: number, width: number): Float32Array {
  const rate = config['classifier.dropout'] as number;
  const draws = drawn('batch.dropout', [about.rows, width]).subarray(row * width, (row + 1) * width);
  return draws.map((value) => ((value + 1) / 2 < rate ? 0 : 1 / (1 - rate)));
}

/** Largest difference in the largest expected value, tensor by tensor: the worst tensor and its error. */
export function worstTensor(
  entry: GoldenCase,
  actual: Float32Array,
  expected: Float32Array,
): { readonly name: string; readonly error: number } {
  if (actual.length !== expected.length)
    throw new Error(`${actual.length} values, ${expected.length} expected`);
  let worst = { name: '', error: 0 };
  let at = 0;
  for (const [name, shape] of entry.parameters) {
    const end = at + shape.reduce((a, b) => a * b, 1);
    let largest = 0;
    let difference = 0;
    for (; at < end; at++) {
      largest = Math.max(largest, Math.abs(expected[at] as number));
      difference = Math.max(difference, Math.abs((actual[at] as number) - (expected[at] as number)));
    }
    const error = largest === 0 ? difference : difference / largest;
    if (!(error <= worst.error)) worst = { name, error };
  }
  return worst;
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`${a.length} values against ${b.length}`);
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] as number) - (b[i] as number));
    if (!(difference <= worst)) worst = difference;
  }
  return worst;
}
