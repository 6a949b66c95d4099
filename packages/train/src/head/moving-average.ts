import type { HeadConfig } from './contract.ts';
import { readOptions } from './lsgmer-options.ts';

/** A stretch of the flat parameter vector: one label table, `rows` embeddings of `length / rows` values. */
export interface LabelSpan {
  readonly offset: number;
  readonly length: number;
  readonly rows: number;
}

/** How far the labels moved in one epoch. */
export interface LabelMovement {
  /** |L' - L| / |L| (Frobenius): L as the epoch began, L' as its steps left it, before any averaging at its end. */
  readonly relative: number;
  /** Cosine of each label with its initial embedding, after the epoch. */
  readonly cosines: readonly number[];
}

export interface LabelAverageState {
  readonly average: Float32Array;
  readonly unaveraged: Float32Array;
  readonly initial: Float32Array;
  readonly epochStart: Float32Array;
}

/**
 * Eq. 9 on host memory: L_t = alpha L_(t-1) + (1 - alpha) L'_(t-1), where L' is what the optimiser made of the
 * labels since. It acts on the flat parameter vector's label spans, between optimiser steps, and knows no graph.
 *
 * `ma.every`: t counts epochs or steps. `ma.role` reset: training goes on from L_t; shadow: it goes on from L'.
 * `ma.evaluate` after: evaluation sees L_t; before: it sees L'. `ma.moments` clear: a reset also forgets the
 * optimiser's moments of the labels. alpha 0 is no moving average: L_t = L'.
 *
 * With the defaults nothing of the initial embedding decays: 1 % of each epoch's movement is kept.
 */
export class LabelAverage {
  private readonly options: ReturnType<typeof readOptions>;
  private readonly spans: readonly LabelSpan[];
  private average: Float32Array;
  private unaveraged: Float32Array;
  private initial: Float32Array;
  private epochStart: Float32Array;

  /** @param parameters the flat vector before the first step: L_0 */
  constructor(config: HeadConfig, spans: readonly LabelSpan[], parameters: Float32Array) {
    this.options = readOptions(config);
    this.spans = spans;
    this.initial = this.read(parameters);
    this.average = this.initial.slice();
    this.unaveraged = this.initial.slice();
    this.epochStart = this.initial.slice();
  }

  /**
   * After each optimiser step.
   * @returns the spans whose moments the optimiser must forget (none, or all label tables)
   */
  afterStep(parameters: Float32Array): readonly LabelSpan[] {
    return this.options['ma.every'] === 'step' ? this.update(parameters) : [];
  }

  /**
   * After the last step of each epoch (and its `afterStep`).
   * @returns how far the labels moved, and the spans whose moments the optimiser must forget
   */
  afterEpoch(parameters: Float32Array): {
    readonly movement: LabelMovement;
    readonly forget: readonly LabelSpan[];
  } {
    const relative = relativeChange(this.epochStart, this.read(parameters));
    const forget = this.options['ma.every'] === 'epoch' ? this.update(parameters) : [];
    this.epochStart = this.read(parameters);
    return { movement: { relative, cosines: this.cosines() }, forget };
  }

  /**
   * Puts the labels that evaluation sees into the vector and returns a function that puts the training ones back.
   */
  forEvaluation(parameters: Float32Array): () => void {
    const training = this.read(parameters);
    this.write(parameters, this.options['ma.evaluate'] === 'after' ? this.average : this.unaveraged);
    return () => this.write(parameters, training);
  }

  /** Everything that a checkpoint must keep; copies. */
  get state(): LabelAverageState {
    return {
      average: this.average.slice(),
      unaveraged: this.unaveraged.slice(),
      initial: this.initial.slice(),
      epochStart: this.epochStart.slice(),
    };
  }

  restore(state: LabelAverageState): void {
    const { length } = this.initial;
    for (const [name, values] of Object.entries(state) as [string, Float32Array][])
      if (values.length !== length)
        throw new Error(`label average: ${name} has ${values.length} values, expected ${length}`);
    this.average = state.average.slice();
    this.unaveraged = state.unaveraged.slice();
    this.initial = state.initial.slice();
    this.epochStart = state.epochStart.slice();
  }

  private update(parameters: Float32Array): readonly LabelSpan[] {
    this.unaveraged = this.read(parameters);
    const alpha = this.options['ma.alpha'];
    for (let i = 0; i < this.average.length; i++) {
      const old = this.average[i] as number;
      const now = this.unaveraged[i] as number;
      this.average[i] = alpha === 0 ? now : old + (1 - alpha) * (now - old);
    }
    if (this.options['ma.role'] === 'shadow' || alpha === 0) return [];
    this.write(parameters, this.average);
    return this.options['ma.moments'] === 'clear' ? this.spans : [];
  }

  private cosines(): number[] {
    const out: number[] = [];
    let offset = 0;
    for (const { length, rows } of this.spans) {
      const width = length / rows;
      for (let row = 0; row < rows; row++, offset += width)
        out.push(
          cosine(
            this.initial.subarray(offset, offset + width),
            this.average.subarray(offset, offset + width),
          ),
        );
    }
    return out;
  }

  private read(parameters: Float32Array): Float32Array {
    const out = new Float32Array(this.spans.reduce((sum, span) => sum + span.length, 0));
    let at = 0;
    for (const { offset, length } of this.spans) {
      out.set(parameters.subarray(offset, offset + length), at);
      at += length;
    }
    return out;
  }

  private write(parameters: Float32Array, values: Float32Array): void {
    let at = 0;
    for (const { offset, length } of this.spans) {
      parameters.set(values.subarray(at, at + length), offset);
      at += length;
    }
  }
}

/** |to - from| / |from|; 0 where there is nothing. */
function relativeChange(from: Float32Array, to: Float32Array): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < from.length; i++) {
    const a = from[i] as number;
    difference += ((to[i] as number) - a) ** 2;
    norm += a * a;
  }
  return norm === 0 ? 0 : Math.sqrt(difference / norm);
}

function cosine(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i] as number;
    const y = b[i] as number;
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa === 0 || bb === 0 ? 0 : dot / Math.sqrt(aa * bb);
}
