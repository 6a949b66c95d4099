import type { ModelFile } from './model-file.ts';
import { fileTensor, integerAttribute } from './model-file.ts';
import { MICROSOFT } from './graph.ts';
import { RewrittenGraph } from './rewritten-graph.ts';

/**
 * Largest weight in steps, and largest byte of an activation. Processors without VNNI add two products of 8 bits in 16 and
 * cut off what is beyond: 2 x 181 x 90 stays within, so that sums are exact everywhere. Both sides lose about the same.
 */
const WEIGHT_STEPS = 90;
const LARGEST_BYTE = 181;
/** A row of zeros has a scale, too. */
const TINY = 1e-20;

/** The byte that stands for zero: in the middle, or near the end for values of which hardly any is negative (gelu, relu). */
export type ZeroPoint = 91 | 17;
export const MIDDLE: ZeroPoint = 91;

/** A quantised activation: bytes [rows, width], and what a step of each row is worth [rows, 1]. */
export interface Activation {
  readonly bytes: string;
  readonly step: string;
  readonly zero: ZeroPoint;
}

/** A constant matrix as bytes [inputs, outputs] with a step for each output. */
export interface ByteMatrix {
  readonly bytes: string;
  readonly steps: string;
  readonly rounded: RoundedMatrix;
}

/** Whole steps [inputs, outputs], and what a step is worth in each output. */
export interface RoundedMatrix {
  readonly bytes: Int8Array;
  readonly steps: Float32Array;
}

/** A graph that is written anew, and the parts of which products of integers are made. */
export class IntegerProducts extends RewrittenGraph {
  /** Queries, keys and values share their input. */
  private readonly activations = new Map<string, Activation>();
  private readonly centres = new Map<string, string>();
  private readonly matrices = new Map<string, ByteMatrix>();

  constructor(model: ModelFile) {
    super(model, 'int8');
  }

  /** x without the mean of each channel. @param x [..., width] @param mean [width] */
  centred(x: string, mean: Float32Array): string {
    const known = this.centres.get(x);
    if (known !== undefined) return known;
    const made = this.op('Sub', [x, this.floats(`mean_of_${x}`, [mean.length], () => mean)]);
    this.centres.set(x, made);
    return made;
  }

  /** Bytes of each row, with the row's own scale. @param x [rows, width] */
  activation(x: string, zero: ZeroPoint): Activation {
    const known = this.activations.get(x);
    if (known !== undefined) return known;
    const step = this.stepOf(x, [-1], zero);
    const bytes = this.bytesOf(x, step, zero);
    const made = { bytes, step: this.op('Unsqueeze', [step, this.int64([1])]), zero };
    this.activations.set(x, made);
    return made;
  }

  /** The least step with which a byte reaches all values along the axes. Without these axes. */
  stepOf(x: string, axes: readonly number[], zero: ZeroPoint): string {
    return this.op('Max', [
      this.op('Mul', [this.largest(x, axes), this.scalar(1 / (LARGEST_BYTE - zero))]),
      this.op('Mul', [this.reduced('ReduceMin', x, axes), this.scalar(-1 / zero)]),
      this.scalar(TINY),
    ]);
  }

  /** The largest values along the axes. Without these axes. */
  largest(x: string, axes: readonly number[]): string {
    return this.reduced('ReduceMax', x, axes);
  }

  /** Whole steps from the zero point. @param step one for each place along the first axis */
  bytesOf(x: string, step: string, zero: ZeroPoint): string {
    const zeros = this.op('Expand', [this.zeroPoint(zero), this.op('Shape', [step])]);
    return this.op('QuantizeLinear', [x, step, zeros], [integerAttribute('axis', 0)]);
  }

  /** Bytes times matrix, in the value of the matrix's steps. [rows, outputs] */
  product(bytes: string, matrix: ByteMatrix, zero: ZeroPoint): string {
    const inputs = [bytes, matrix.bytes, this.scalar(1), matrix.steps, this.zeroPoint(zero)];
    return this.op('MatMulIntegerToFloat', inputs, [], MICROSOFT);
  }

  /** The product in the value of both sides' steps. [rows, outputs] */
  scaled({ bytes, step, zero }: Activation, matrix: ByteMatrix, output?: string): string {
    return this.op('Mul', [this.product(bytes, matrix, zero), step], [], '', output);
  }

  /**
   * A matrix in steps, made once for each name.
   * @param make weights [inputs, outputs], or [outputs, inputs] where `turned`
   */
  matrix(
    name: string,
    inputs: number,
    outputs: number,
    turned: boolean,
    make: () => Float32Array,
  ): ByteMatrix {
    const key = `${name} ${turned}`;
    const known = this.matrices.get(key);
    if (known !== undefined) return known;
    const rounded = quantiseMatrix(make(), inputs, outputs, turned);
    const made = {
      bytes: this.model.fresh(`${name}_int8`),
      steps: this.model.fresh(`${name}_step`),
      rounded,
    };
    this.tensors.push(fileTensor(made.bytes, 'int8', [inputs, outputs], rounded.bytes));
    this.tensors.push(fileTensor(made.steps, 'float32', [outputs], rounded.steps));
    this.matrices.set(key, made);
    return made;
  }

  zeroPoint(zero: ZeroPoint): string {
    return this.constant(`zero_${zero}`, 'uint8', Uint8Array.of(zero), []);
  }
}

/**
 * Rounds a matrix to whole steps, one step size for each output.
 * @param weights [inputs, outputs], or [outputs, inputs] where `turned`
 * @returns bytes [inputs, outputs] and the step sizes [outputs]
 */
export function quantiseMatrix(
  weights: Float32Array,
  inputs: number,
  outputs: number,
  turned: boolean,
): RoundedMatrix {
  const [perInput, perOutput] = turned ? [1, inputs] : [outputs, 1];
  const bytes = new Int8Array(inputs * outputs);
  const steps = new Float32Array(outputs);
  for (let output = 0; output < outputs; output++) {
    let largest = 0;
    for (let input = 0; input < inputs; input++)
      largest = Math.max(largest, Math.abs(weights[output * perOutput + input * perInput] as number));
    const step = Math.fround(largest / WEIGHT_STEPS) || 1;
    steps[output] = step;
    for (let input = 0; input < inputs; input++)
      bytes[input * outputs + output] = Math.round(
        (weights[output * perOutput + input * perInput] as number) / step,
      );
  }
  return { bytes, steps };
}
