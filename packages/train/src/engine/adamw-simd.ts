import {
  f32x4,
  get,
  i32,
  Instance,
  Module,
  moduleBytes,
  repeatWhile,
  set,
  splat,
  type WasmMemory,
  type WasmModule,
} from './wasm.ts';

/** The numbers of one AdamW step, in the order in which the pass takes them. */
export interface AdamWFactors {
  /** lr decay */
  readonly shrink: number;
  readonly beta1: number;
  /** 1 - beta1 */
  readonly gain1: number;
  readonly beta2: number;
  /** 1 - beta2 */
  readonly gain2: number;
  /** lr / (1 - beta1^t) */
  readonly rate: number;
  /** 1 / (1 - beta2^t) */
  readonly correction: number;
  readonly eps: number;
}

/** Byte addresses of four vectors in one memory, and where the first of them ends; then the factors. */
type Pass = (
  parameters: number,
  gradient: number,
  first: number,
  second: number,
  end: number,
  shrink: number,
  beta1: number,
  gain1: number,
  beta2: number,
  gain2: number,
  rate: number,
  correction: number,
  eps: number,
) => void;

// Local variables by number: the arguments, then each factor in all lanes, then what four elements need.
const [parameters, gradient, first, second, end] = [0, 1, 2, 3, 4];
const [shrink, beta1, gain1, beta2, gain2, rate, correction, eps] = [5, 6, 7, 8, 9, 10, 11, 12];
const FACTORS = [shrink, beta1, gain1, beta2, gain2, rate, correction, eps];
const [g, m, v, p] = [21, 22, 23, 24];
const lanes = (factor: number): number => factor + FACTORS.length;

/** Four elements: the operations of AdamW.update in the same order, so that the bits are the same. */
const four = [
  ...set(g, f32x4.load(get(gradient))),
  ...set(
    m,
    f32x4.add(f32x4.mul(get(lanes(beta1)), f32x4.load(get(first))), f32x4.mul(get(lanes(gain1)), get(g))),
  ),
  ...set(
    v,
    f32x4.add(
      f32x4.mul(get(lanes(beta2)), f32x4.load(get(second))),
      f32x4.mul(f32x4.mul(get(lanes(gain2)), get(g)), get(g)),
    ),
  ),
  ...f32x4.store(get(first), get(m)),
  ...f32x4.store(get(second), get(v)),
  ...set(p, f32x4.load(get(parameters))),
  ...f32x4.store(
    get(parameters),
    f32x4.sub(
      get(p),
      f32x4.add(
        f32x4.mul(get(lanes(shrink)), get(p)),
        f32x4.div(
          f32x4.mul(get(lanes(rate)), get(m)),
          f32x4.add(f32x4.sqrt(f32x4.mul(get(lanes(correction)), get(v))), get(lanes(eps))),
        ),
      ),
    ),
  ),
];

const body = [
  ...FACTORS.flatMap((factor) => set(lanes(factor), splat(get(factor)))),
  ...repeatWhile(
    [
      ...four,
      ...[parameters, gradient, first, second].flatMap((at) => set(at, i32.add(get(at), i32.constant(16)))),
    ],
    i32.below(get(parameters), get(end)),
  ),
];

const PASS = moduleBytes(
  'pass',
  [...Array<'i32'>(5).fill('i32'), ...Array<'f32'>(8).fill('f32')],
  Array<'v128'>(12).fill('v128'),
  body,
);

let compiled: WasmModule | undefined;

/**
 * AdamW over stretches of vectors in one WebAssembly memory, four elements at a time in float32: every bit is that
 * of the plain loop.
 */
export class AdamWSimd {
  private readonly pass: Pass;

  constructor(memory: WasmMemory) {
    compiled ??= new Module(PASS);
    const instance = new Instance(compiled, { env: { memory } });
    this.pass = instance.exports['pass'] as Pass;
  }

  /**
   * Updates the elements of one stretch but for the last ones where they are no multiple of four. The arrays must lie in the
   * memory and have one length.
   * @returns how many elements were updated
   */
  update(
    parameters: Float32Array,
    gradient: Float32Array,
    first: Float32Array,
    second: Float32Array,
    factors: AdamWFactors,
  ): number {
    const whole = parameters.length - (parameters.length % 4);
    if (whole === 0) return 0;
    const { shrink, beta1, gain1, beta2, gain2, rate, correction, eps } = factors;
    this.pass(
      parameters.byteOffset,
      gradient.byteOffset,
      first.byteOffset,
      second.byteOffset,
      parameters.byteOffset + 4 * whole,
      shrink,
      beta1,
      gain1,
      beta2,
      gain2,
      rate,
      correction,
      eps,
    );
    return whole;
  }
}
