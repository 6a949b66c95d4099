import type { ExternalData } from '@lsgmer/onnx/runtime';
import { type Json, Rng, digestJson, sha256Hex } from '@lsgmer/datasets';

/**
 * Named tensors of a model, float32, row-major, with the names and shapes of Hugging Face's (torchvision's)
 * state dict: seeded random numbers, or a checkpoint.
 */
export interface WeightSource {
  /**
   * @param shape the shape that the architecture needs
   * @throws when there is no such tensor, or one of another shape
   */
  tensor(name: string, shape: readonly number[]): Float32Array;
  /**
   * Where a graph finds a tensor, for sources whose tensors lie in files: a place in a file of the graph's folder,
   * or the values themselves. Sources without places give `tensor` only.
   */
  place?(wanted: WantedTensor): ExternalData | Float32Array;
}

/** A tensor as a graph needs it: one of the checkpoint's, or computed from some of them. */
export interface WantedTensor {
  /** In the graph. */
  readonly name: string;
  readonly shape: readonly number[];
  /** The checkpoint's tensors that it is made of. */
  readonly sources: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** From the sources' values, in their order. */
  readonly make: (values: readonly Float32Array[]) => Float32Array;
}

/** Mean and standard deviation of a tensor's random values. */
export interface Spread {
  readonly mean: number;
  readonly sd: number;
}

/**
 * Random weights that are the same on every machine. Each tensor has a generator of its own, keyed by seed and
 * name; a value is the sum of four uniform numbers, shifted and scaled (nearly normal): no logarithm or cosine,
 * whose last bits differ between libraries.
 */
export class RandomWeights implements WeightSource {
  private readonly seed: number;
  private readonly spread: (name: string, shape: readonly number[]) => Spread;

  constructor(seed: number, spread: (name: string, shape: readonly number[]) => Spread) {
    this.seed = seed;
    this.spread = spread;
  }

  tensor(name: string, shape: readonly number[]): Float32Array {
    const { mean, sd } = this.spread(name, shape);
    const rng = Rng.for('weights', this.seed, name);
    const values = new Float32Array(shape.reduce((size, dim) => size * dim, 1));
    // The sum of four uniforms has variance 1/3.
    const scale = sd * Math.sqrt(3);
    for (let i = 0; i < values.length; i++) {
      const sum = rng.uniform() + rng.uniform() + rng.uniform() + rng.uniform();
      values[i] = mean + scale * (sum - 2);
    }
    return values;
  }
}

/**
 * Passes another source's tensors on and takes note of them, so that a model can be named by what it was made
 * of: the digest does not depend on the file format the weights came in, nor on how the graph uses them.
 */
export class RecordedWeights implements WeightSource {
  private readonly inner: WeightSource;
  private readonly seen = new Map<string, Json>();

  constructor(inner: WeightSource) {
    this.inner = inner;
  }

  tensor(name: string, shape: readonly number[]): Float32Array {
    const values = this.inner.tensor(name, shape);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.seen.set(name, { name, shape: [...shape], sha256: sha256Hex(bytes) });
    return values;
  }

  /** sha256 of the RFC 8785 JSON of all tensors used, sorted by name: name, shape, sha256 of the float32 bytes. */
  digest(): string {
    return digestJson([...this.seen.keys()].sort().map((name) => this.seen.get(name) as Json));
  }
}
