import type { Computation } from '@lsgmer/datasets';
import type { Feeds } from '@lsgmer/onnx/runtime';

/** What an encoder is given for one utterance: token ids, or a mono waveform at the rate that its form names. */
export type EncoderInput = Int32Array | Float32Array;

/** One encoder's output for one utterance. */
export interface EncodedSteps {
  /** Steps: tokens, frames, or columns of a picture. */
  readonly n: number;
  /** [n, dim] */
  readonly values: Float32Array;
}

/**
 * How a kind of encoder takes its input, between an utterance and the graph. Batches hold utterances of one key
 * only, so that no padding ever enters an encoder and a feature is a function of its utterance alone.
 */
export interface InputForm {
  readonly kind: 'text' | 'audio';
  /** Of the waveforms, in Hz; null for text. */
  readonly sampleRate: number | null;
  /** Values per step of each output. */
  readonly dim: number;
  /** Centre of step 0 and distance between steps in seconds; null where steps have no time. */
  readonly firstSeconds: number | null;
  readonly stepSeconds: number | null;
  /** What the fingerprint says of the preparation. */
  readonly computation: Computation;
  /** Inputs of that length (tokens or samples) may share a batch with others of the same key. */
  batchKey(length: number): number;
  /**
   * @param inputs of one batch key
   * @returns the graph's inputs, batch first
   */
  feeds(inputs: readonly EncoderInput[]): Feeds;
}

/** Cuts the output of a batch, [B, n, dim], into its utterances; copies, so that each can travel alone. */
export function splitBatch(values: Float32Array, batch: number, dim: number): EncodedSteps[] {
  const size = values.length / batch;
  return Array.from({ length: batch }, (_, i) => ({
    n: size / dim,
    values: values.slice(i * size, (i + 1) * size),
  }));
}
