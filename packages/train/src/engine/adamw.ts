import { type AdamWFactors, AdamWSimd } from './adamw-simd.ts';
import { commonMemory, type Moments } from './vectors.ts';
import type { WasmMemory } from './wasm.ts';

/** A stretch of the flat parameter vector. */
export interface Span {
  readonly offset: number;
  readonly length: number;
}

export interface AdamWOptions {
  readonly lr: number;
  /** 0.9 unless given, as in PyTorch; so the others. */
  readonly beta1?: number;
  /** 0.999 */
  readonly beta2?: number;
  /** 1e-8 */
  readonly eps?: number;
  /** Decoupled weight decay, times the learning rate; 0.01. */
  readonly decay?: number;
  /** Parameters without decay (biases, for instance); none unless given. */
  readonly undecayed?: readonly Span[];
}

/**
 * AdamW over flat arrays, in place, in one pass: torch.optim.AdamW without amsgrad (Loshchilov and Hutter,
 * "Decoupled Weight Decay Regularization", algorithm 2):
 *
 *   p <- p (1 - lr decay);  m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2
 *   p <- p - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
 *
 * Every operation is one of float32, as PyTorch's are; what an element loses to decay is added to its update before both are
 * subtracted, so that little of either is rounded off. Where all vectors lie in one WebAssembly memory (see
 * `trainingVectors`) the pass runs in SIMD, to the same bits.
 */
export class AdamW {
  lr: number;
  /** Steps taken: t. A checkpoint holds it beside the moments. */
  steps = 0;
  /** First moments m. */
  readonly first: Float32Array;
  /** Second moments v. */
  readonly second: Float32Array;
  private readonly beta1: number;
  private readonly beta2: number;
  private readonly eps: number;
  private readonly decay: number;
  private simd: { readonly memory: WasmMemory; readonly pass: AdamWSimd } | undefined;
  /** The whole vector in order, with and without decay. */
  private readonly segments: readonly (Span & { readonly decayed: boolean })[];

  /**
   * @param size number of parameters
   * @param moments where the moments are to lie: beside the engine's vectors, where it has room for them
   * @throws when the spans without decay overlap or leave the vector, or the moments have another size
   */
  constructor(size: number, options: AdamWOptions, moments?: Moments) {
    this.lr = options.lr;
    this.beta1 = options.beta1 ?? 0.9;
    this.beta2 = options.beta2 ?? 0.999;
    this.eps = options.eps ?? 1e-8;
    this.decay = options.decay ?? 0.01;
    this.first = moments?.first ?? new Float32Array(size);
    this.second = moments?.second ?? new Float32Array(size);
    if (this.first.length !== size || this.second.length !== size) {
      throw new Error(
        `AdamW of ${size} parameters got moments of ${this.first.length}, ${this.second.length}`,
      );
    }
    // The engine's room may hold what an earlier optimiser left.
    this.first.fill(0);
    this.second.fill(0);
    this.segments = segments(size, options.undecayed ?? []);
  }

  /** One step on `parameters`, in place. */
  step(parameters: Float32Array, gradient: Float32Array): void {
    const { length } = this.first;
    if (parameters.length !== length || gradient.length !== length) {
      throw new Error(
        `AdamW of ${length} parameters got ${parameters.length} with a gradient of ${gradient.length}`,
      );
    }
    this.steps++;
    const { beta1, beta2, eps } = this;
    const common = {
      beta1,
      gain1: 1 - beta1,
      beta2,
      gain2: 1 - beta2,
      rate: this.lr / (1 - beta1 ** this.steps),
      correction: 1 / (1 - beta2 ** this.steps),
      eps,
    };
    const simd = this.simdPass(parameters, gradient);
    for (const { offset, length, decayed } of this.segments) {
      const part = (vector: Float32Array): Float32Array => vector.subarray(offset, offset + length);
      const parts = [part(parameters), part(gradient), part(this.first), part(this.second)] as const;
      const factors = { shrink: decayed ? this.lr * this.decay : 0, ...common };
      const done = simd?.update(...parts, factors) ?? 0;
      update(...parts, factors, done);
    }
  }

  /** The SIMD pass, where these vectors and the moments lie in one WebAssembly memory. */
  private simdPass(parameters: Float32Array, gradient: Float32Array): AdamWSimd | undefined {
    const memory = commonMemory([parameters, gradient, this.first, this.second]);
    if (memory === undefined) return undefined;
    if (this.simd?.memory !== memory) this.simd = { memory, pass: new AdamWSimd(memory) };
    return this.simd.pass;
  }
}

/** One step on the elements from `start` on. */
function update(
  parameters: Float32Array,
  gradient: Float32Array,
  first: Float32Array,
  second: Float32Array,
  factors: AdamWFactors,
  start: number,
): void {
  const f = Math.fround;
  const [shrink, rate, correction, eps] = [
    f(factors.shrink),
    f(factors.rate),
    f(factors.correction),
    f(factors.eps),
  ];
  const [beta1, gain1, beta2, gain2] = [
    f(factors.beta1),
    f(factors.gain1),
    f(factors.beta2),
    f(factors.gain2),
  ];
  for (let i = start; i < parameters.length; i++) {
    const g = gradient[i] as number;
    const m = f(f(beta1 * (first[i] as number)) + f(gain1 * g));
    const v = f(f(beta2 * (second[i] as number)) + f(f(gain2 * g) * g));
    first[i] = m;
    second[i] = v;
    const p = parameters[i] as number;
    const move = f(f(rate * m) / f(f(Math.sqrt(f(correction * v))) + eps));
    parameters[i] = f(p - f(f(shrink * p) + move));
  }
}

function segments(size: number, undecayed: readonly Span[]): (Span & { readonly decayed: boolean })[] {
  const out: (Span & { readonly decayed: boolean })[] = [];
  let at = 0;
  for (const { offset, length } of [...undecayed].sort((a, b) => a.offset - b.offset)) {
    if (offset < at || offset + length > size) {
      throw new Error(
        `span ${offset}..${offset + length} without decay overlaps another or leaves 0..${size}`,
      );
    }
    if (offset > at) out.push({ offset: at, length: offset - at, decayed: true });
    out.push({ offset, length, decayed: false });
    at = offset + length;
  }
  if (at < size) out.push({ offset: at, length: size - at, decayed: true });
  return out;
}
