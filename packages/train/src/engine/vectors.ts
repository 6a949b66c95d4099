import { Memory, type WasmMemory } from './wasm.ts';

/** An optimiser's two moments, as long as the parameter vector. */
export interface Moments {
  readonly first: Float32Array;
  readonly second: Float32Array;
}

/** The flat vectors of training, zeros at first. */
export interface TrainingVectors {
  readonly parameters: Float32Array;
  readonly gradient: Float32Array;
  readonly moments: Moments;
}

const PAGE = 65_536;
/** Vectors start at cache lines. */
const LINE = 64;

/** The memories that were made here, by the buffer of their views. */
const memories = new WeakMap<ArrayBufferLike, WasmMemory>();

/**
 * The vectors of training side by side in one WebAssembly memory, so that a SIMD pass reaches them all. It never
 * grows, which would cut its views off.
 */
export function trainingVectors(size: number): TrainingVectors {
  const stride = Math.ceil((4 * size) / LINE) * LINE;
  const pages = Math.max(1, Math.ceil((4 * stride) / PAGE));
  const memory = new Memory({ initial: pages, maximum: pages });
  memories.set(memory.buffer, memory);
  const vector = (i: number): Float32Array => new Float32Array(memory.buffer, i * stride, size);
  return {
    parameters: vector(0),
    gradient: vector(1),
    moments: { first: vector(2), second: vector(3) },
  };
}

/** The WebAssembly memory that holds all of these arrays, if there is one. */
export function commonMemory(arrays: readonly Float32Array[]): WasmMemory | undefined {
  const buffer = arrays[0]?.buffer;
  if (buffer === undefined || arrays.some((array) => array.buffer !== buffer)) return undefined;
  return memories.get(buffer);
}
