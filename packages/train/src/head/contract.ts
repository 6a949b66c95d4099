import type * as tf from '@tensorflow/tfjs-core';

/**
 * What passes between batches, heads and engines. A head is written on tfjs-core ops only, so that the same
 * code runs eagerly on any tfjs backend (the oracle) and traced into one static ONNX graph per shape.
 */

/** Static shape of a batch: rows B, tokens n, frames m, map steps S; 0 where the head does not use a feature. */
export interface BatchShape {
  readonly rows: number;
  readonly text: number;
  readonly audio: number;
  readonly map: number;
}

/** Values per step of each feature (768, 1024, 1792 in the paper's setting); 0 where there is none. */
export interface FeatureDims {
  readonly text: number;
  readonly audio: number;
  readonly map: number;
}

/**
 * Inputs of the graph by name. Only those that `Head.inputs` lists for a configuration are fed.
 * Names in use: `text` [B,n,Dt], `textMask` [B,n] (1 = real token), `audio` [B,m,Da], `audioMask` [B,m],
 * `map` [B,S,Dm], `mapPosition` [B,m] (fractional step index of each frame's centre, already clamped to the
 * utterance's own steps), `mapPool` [B,6,S] (average pooling of the utterance's own steps to six),
 * `target` [B,N] one-hot, `weight` [B] (1 / real rows of the whole update; 0 for a padded row),
 * `dropout.<place>` [B,width] (0 or 1 / keep; drawn by the host from seed, step and row).
 */
export interface InputSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** `feature` inputs arrive as float16 bits or float32, as the store holds them; the graph casts. */
  readonly dtype: 'feature' | 'float32';
}

/** How a parameter starts; `gain` and `sd` as PyTorch names them. */
export type Init =
  | { readonly kind: 'uniform'; readonly bound: number }
  | { readonly kind: 'normal'; readonly sd: number }
  | { readonly kind: 'constant'; readonly value: number };

export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly init: Init;
  /** Its own random stream (label embeddings have a seed of their own). */
  readonly stream: 'weights' | 'labels';
  /** Eq. 9's moving average applies to these (the label embeddings). */
  readonly averaged: boolean;
}

export type Tensors = { readonly [name: string]: tf.Tensor };

export interface HeadOutput {
  /** [B,N] */
  readonly logits: tf.Tensor;
  /** [B,d], the fused vector that APC compares with the labels. */
  readonly fused: tf.Tensor;
  /**
   * Further tensors for analysis, not needed for training, those that the head has: `gate` [B,2] (audio, text),
   * `attention.text` [B,N,n] and `attention.audio` [B,N,m] (labels over steps, mean over heads), `cross.text` [B,n]
   * and `cross.audio` [B,m] (what each step receives from the other modality: mean over heads and real steps).
   */
  readonly extra: Tensors;
}

export interface HeadLoss {
  /** Scalars: the weighted sum, and its parts. */
  readonly loss: tf.Scalar;
  readonly ce: tf.Scalar;
  readonly apc: tf.Scalar;
}

export type OptionValue = string | number | boolean;

/** One configurable thing: listed by `lsgmer train --options`, checked before anything runs. */
export interface OptionSpec {
  readonly key: string;
  readonly type: 'number' | 'integer' | 'boolean' | readonly string[];
  readonly default: OptionValue;
  /** Equation of the paper, or `own`. */
  readonly source: string;
  readonly help: string;
  readonly min?: number;
  readonly max?: number;
}

export type HeadConfig = { readonly [key: string]: OptionValue };

export interface Head {
  readonly name: string;
  /** One line for `lsgmer head list`. */
  readonly summary?: string;
  /** Digest of its source where it comes from a file: part of every run's identity. */
  readonly source?: string;
  readonly options: readonly OptionSpec[];
  parameters(config: HeadConfig, dims: FeatureDims, classes: number): ParameterSpec[];
  inputs(config: HeadConfig, dims: FeatureDims, classes: number, shape: BatchShape): InputSpec[];
  forward(parameters: Tensors, batch: Tensors, config: HeadConfig, training: boolean): HeadOutput;
  loss(parameters: Tensors, output: HeadOutput, batch: Tensors, config: HeadConfig): HeadLoss;
}

/** A batch in host memory, ready to be fed. */
export interface HostBatch {
  readonly shape: BatchShape;
  /** Ids of the real rows, in order; rows after them are padding with weight 0. */
  readonly ids: readonly string[];
  readonly feeds: { readonly [name: string]: Float32Array | Uint16Array };
}

export interface StepResult {
  readonly loss: number;
  readonly ce: number;
  readonly apc: number;
  /** B * N */
  readonly logits: Float32Array;
  /** B * 2: weights of audio and text, where the head has a fusion gate (`extra.gate`). */
  readonly gate?: Float32Array;
}

/** Runs a head's forward pass and gradients over a flat parameter vector. */
export interface Engine {
  /** All parameters, one after the other, in the order of Head.parameters. Updated in place by the optimiser. */
  readonly parameters: Float32Array;
  /** Gradient of the last `gradients` calls since `clearGradients` (they add up: micro-batches). */
  readonly gradient: Float32Array;
  /** Room for an optimiser's moments beside the two, where a faster pass reaches all of them. */
  readonly moments?: { readonly first: Float32Array; readonly second: Float32Array };
  clearGradients(): void;
  gradients(batch: HostBatch): Promise<StepResult>;
  /** Evaluation mode: no dropout. `extra` as the head names it, with `fused` [B,d], only when asked for. */
  forward(
    batch: HostBatch,
    extra?: boolean,
  ): Promise<{ logits: Float32Array; extra: Record<string, Float32Array> }>;
  dispose(): Promise<void>;
}
