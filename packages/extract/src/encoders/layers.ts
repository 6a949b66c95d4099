import { type Graph, float } from '@lsgmer/onnx/runtime';
import type { WantedTensor, WeightSource } from './weight-source.ts';

/** The lowest float32: added to a score, it takes the key out of the softmax (as Hugging Face does). */
const LOWEST = -3.4028234663852886e38;

/**
 * The layers that transformer encoders share, on an ONNX graph. Hidden states are held as [rows, width] with
 * rows = batch * length, so that a linear layer is one Gemm that takes torch's [out, in] weights as they are.
 */
export class Layers {
  readonly graph: Graph;
  private readonly weights: WeightSource;

  constructor(graph: Graph, weights: WeightSource) {
    this.graph = graph;
    this.weights = weights;
  }

  /** A tensor of the checkpoint as an initializer of the same name, stored once. */
  parameter(name: string, shape: readonly number[]): string {
    return this.derived({
      name,
      shape,
      sources: [{ name, shape }],
      make: ([values]) => values as Float32Array,
    });
  }

  /** An initializer that is computed from tensors of the checkpoint. */
  derived(wanted: WantedTensor): string {
    const { name, shape, sources } = wanted;
    if (this.graph.has(name)) return name;
    const { weights } = this;
    const data =
      weights.place?.(wanted) ??
      wanted.make(sources.map((source) => weights.tensor(source.name, source.shape)));
    return this.graph.initializer(name, 'float32', shape, data);
  }

  /** [rows, from] -> [rows, to] */
  linear(x: string, name: string, from: number, to: number): string {
    const weight = this.parameter(`${name}.weight`, [to, from]);
    const bias = this.parameter(`${name}.bias`, [to]);
    return this.graph.op('Gemm', [x, weight, bias], { transB: 1 });
  }

  /** Over the last axis. */
  layerNorm(x: string, name: string, width: number, epsilon: number): string {
    const weight = this.parameter(`${name}.weight`, [width]);
    const bias = this.parameter(`${name}.bias`, [width]);
    return this.graph.op('LayerNormalization', [x, weight, bias], { axis: -1, epsilon: float(epsilon) });
  }

  /** The exact form, x / 2 (1 + erf(x / sqrt 2)), in the order that onnxruntime fuses into one kernel. */
  gelu(x: string): string {
    const g = this.graph;
    const erf = g.op('Erf', [g.op('Div', [x, g.scalar(Math.SQRT2)])]);
    return g.op('Mul', [g.op('Mul', [x, g.op('Add', [erf, g.scalar(1)])]), g.scalar(0.5)]);
  }

  /** [rows, heads * width] -> [batch, heads, length, width], or with the last two axes swapped for keys. */
  splitHeads(x: string, shape: string, forKeys = false): string {
    const perm = forKeys ? [0, 2, 3, 1] : [0, 2, 1, 3];
    return this.graph.op('Transpose', [this.graph.op('Reshape', [x, shape])], { perm });
  }

  /**
   * Scaled dot-product attention, some heads at a time where several biases are given: scores of all heads of a long
   * recording do not stay in a processor's cache.
   * @param x [rows, width]
   * @param names state-dict prefixes of the four projections
   * @param split int64 [4]: batch, length, heads, width of a head
   * @param biases for equal parts of the heads, what is added to their scores; each broadcasts to [batch, heads / parts, length, length]
   * @returns [rows, width]
   */
  attention(
    x: string,
    names: { query: string; key: string; value: string; output: string },
    width: number,
    heads: number,
    split: string,
    biases: readonly string[],
  ): string {
    const g = this.graph;
    const parts = (value: string): string[] => this.headParts(value, biases.length);
    const scaled = g.op('Mul', [
      this.linear(x, names.query, width, width),
      g.scalar((width / heads) ** -0.5),
    ]);
    const queries = parts(this.splitHeads(scaled, split));
    const keys = parts(this.splitHeads(this.linear(x, names.key, width, width), split, true));
    const values = parts(this.splitHeads(this.linear(x, names.value, width, width), split));
    const mixed = biases.map((bias, i) => {
      const products = g.op('MatMul', [queries[i] as string, keys[i] as string]);
      const scores = g.op('Add', [products, bias]); // [B, heads / parts, n, n]
      return g.op('MatMul', [g.op('Softmax', [scores], { axis: -1 }), values[i] as string]);
    });
    const all = mixed.length === 1 ? (mixed[0] as string) : g.op('Concat', mixed, { axis: 1 }); // [B, heads, n, d]
    const joined = g.op('Transpose', [all], { perm: [0, 2, 1, 3] });
    return this.linear(g.op('Reshape', [joined, g.int64([-1, width])]), names.output, width, width);
  }

  /** [B, heads, ...] -> so many of [B, heads / parts, ...] */
  headParts(x: string, parts: number): string[] {
    return parts === 1 ? [x] : this.graph.opN('Split', [x], { axis: 1 }, parts);
  }

  /** The two layers with a gelu between them. */
  feedForward(x: string, inner: string, outer: string, width: number, innerWidth: number): string {
    return this.linear(this.gelu(this.linear(x, inner, width, innerWidth)), outer, innerWidth, width);
  }

  /**
   * What the keys that are padding add to the scores.
   * @param valid float [B, n]: 1 for a real position, 0 for padding
   * @returns [B, 1, 1, n]
   */
  keyBias(valid: string): string {
    const g = this.graph;
    const bias = g.op('Mul', [g.op('Sub', [g.scalar(1), valid]), g.scalar(LOWEST)]);
    return g.op('Unsqueeze', [bias, g.int64([1, 2])]);
  }

  /** int64 [4]: batch and length of a [batch, length, ...] value, then heads and the width of one. */
  headShape(value: string, heads: number, width: number): string {
    const g = this.graph;
    const leading = g.op('Shape', [value], { start: 0, end: 2 });
    return g.op('Concat', [leading, g.int64([heads, width / heads])], { axis: 0 });
  }

  /** [rows, width] -> [batch, length, width] as an output of the graph. */
  output(x: string, like: string, width: number, length: string, name: string): void {
    const g = this.graph;
    const leading = g.op('Shape', [like], { start: 0, end: 2 });
    const shape = g.op('Concat', [leading, g.int64([width])], { axis: 0 });
    g.output(g.op('Reshape', [x, shape]), 'float32', ['batch', length, width], name);
  }
}
