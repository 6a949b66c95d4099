import {
  type Convolution,
  batched,
  biasOf,
  framesOf,
  groupsOf,
  kernelMatrix,
  padded,
  windowsOf,
} from './convolution-rows.ts';
import type { IntegerProducts, RoundedMatrix, ZeroPoint } from './integer-products.ts';
import { type FileTensor, integerAttribute } from './model-file.ts';
import { isRow, rowOffset } from './row-offset.ts';

/**
 * The convolution as products of integers, quantised before frames are laid side by side: bytes are copied, not floats.
 * @param x [B, T, inputs]: channels last
 * @returns [B, frames, outputs], with the bias
 */
export function convolve(
  products: IntegerProducts,
  conv: Convolution,
  x: string,
  { zero, mean, bias }: ConvolutionGiven,
): string {
  const weights = products.model.floats(conv.weight);
  const offset =
    mean === undefined || !(biasOf(conv) === undefined || isRow(bias))
      ? undefined
      : new Float32Array(conv.weight.shape[0] as number);
  const given = { x, zero, weights, ...(mean === undefined || offset === undefined ? {} : { mean, offset }) };
  const made = (conv.groups === 1 ? blockProducts : groupProducts)(products, conv, given);
  const own = bias === undefined ? undefined : products.model.floats(bias);
  const addend =
    offset === undefined
      ? biasOf(conv)
      : products.floats(`offset_${[x, conv.weight.name, biasOf(conv)].join('_')}`, [offset.length], () =>
          offset.map((value, output) => value + (own?.[output] ?? 0)),
        );
  return addend === undefined ? made : products.op('Add', [made, addend]);
}

export interface ConvolutionGiven {
  readonly zero: ZeroPoint;
  /** Of each channel of the input. */
  readonly mean: Float32Array | undefined;
  readonly bias: FileTensor | undefined;
}

interface Given {
  /** [B, T, inputs] */
  readonly x: string;
  readonly zero: ZeroPoint;
  /** The convolution's, as they are stored. */
  readonly weights: Float32Array;
  readonly mean?: Float32Array;
  /** Filled here: what the rounding of weights leaves out where the input is its mean (but at padding). [outputs] */
  readonly offset?: Float32Array;
}

/** Adds to the offset of the place's outputs what a matrix [width * channels, outputs] lost of its mean input. */
function addLost({ mean, offset }: Given, weights: Float32Array, less: RoundedMatrix, at: Place): void {
  if (mean === undefined || offset === undefined) return;
  const own = mean.subarray(at.channel, at.channel + at.channels);
  const rows = weights.length / less.steps.length;
  const tiled = Float32Array.from({ length: rows }, (_, row) => own[row % at.channels] as number);
  rowOffset({ weights, turned: false, mean: tiled, less }).forEach((value, output) => {
    offset[at.output + output] = (offset[at.output + output] as number) + value;
  });
}

/** Where a matrix stands: its first channel, how many it takes, its first output. */
interface Place {
  readonly channel: number;
  readonly channels: number;
  readonly output: number;
}

/**
 * Input frames in blocks of one stride have a scale of their own: block t + m meets the m-th part of the kernel, which is as
 * long as a stride, the last one perhaps shorter.
 */
function blockProducts(products: IntegerProducts, conv: Convolution, given: Given): string {
  const { x, zero, weights } = given;
  const { weight, kernel, stride } = conv;
  const [outputs, inputs] = weight.shape as [number, number];
  const frames = framesOf(products, conv, x);
  const { bytes, step } = blockBytes(products, x, { stride, inputs, zero });
  let sum: string | undefined;
  for (let from = 0; from < kernel; from += stride) {
    const part = { from, width: Math.min(stride, kernel - from) };
    const rows = windowsOf(products, conv, bytes, frames, part);
    const kernels = kernelMatrix(weights, conv, 0, part);
    const matrix = products.matrix(
      `${weight.name}_${from}`,
      part.width * inputs,
      outputs,
      false,
      () => kernels,
    );
    addLost(given, kernels, matrix.rounded, { channel: 0, channels: inputs, output: 0 });
    const first = products.int64([from / stride]);
    const met = products.op('Slice', [step, first, products.op('Add', [frames, first]), products.int64([1])]); // [B, frames]
    const steps = products.op('Reshape', [met, products.int64([-1, 1])]);
    const scaled = products.op('Mul', [products.product(rows, matrix, zero), steps]);
    sum = sum === undefined ? scaled : products.op('Add', [sum, scaled]);
  }
  return batched(products, conv, x, sum as string);
}

/** @returns bytes [B, T, inputs], and what a step is worth in each block of one stride [B, blocks] */
function blockBytes(
  products: IntegerProducts,
  x: string,
  { stride, inputs, zero }: { stride: number; inputs: number; zero: ZeroPoint },
): { bytes: string; step: string } {
  const ofFrames = products.stepOf(x, [2], zero); // [B, T]
  const length = products.op('Slice', [products.op('Shape', [x]), products.int64([1]), products.int64([2])]);
  const places = products.op('Range', [
    products.whole(0),
    products.op('Squeeze', [length]),
    products.whole(1),
  ]);
  // The last block may lack frames.
  const lacking = products.op('Mod', [products.op('Neg', [length]), products.int64([stride])]);
  const pads = products.op('Concat', [products.int64([0, 0, 0]), lacking], [integerAttribute('axis', 0)]);
  const whole = products.op('Pad', [ofFrames, pads, products.scalar(0)]);
  const step = products.largest(products.op('Reshape', [whole, products.int64([0, -1, stride])]), [2]); // [B, blocks]
  const block = products.op('Div', [places, products.whole(stride)]);
  const shared = products.op('Gather', [step, block], [integerAttribute('axis', 1)]); // [B, T]
  const flat = products.bytesOf(
    products.op('Reshape', [x, products.int64([-1, inputs])]),
    products.op('Reshape', [shared, products.int64([-1])]),
    zero,
  );
  return { bytes: products.op('Reshape', [flat, products.op('Shape', [x])]), step };
}

/**
 * Rows are all frames that the kernel covers, for each group of channels. One scale for each recording: these windows share
 * most of their frames.
 */
function groupProducts(products: IntegerProducts, conv: Convolution, given: Given): string {
  const { x, zero, weights } = given;
  const { weight, kernel, groups } = conv;
  const [outputs, inputs] = weight.shape as [number, number];
  const step = products.stepOf(x, [1, 2], zero); // [B]
  const bytes = padded(products, conv, products.bytesOf(x, step, zero), products.zeroPoint(zero));
  const frames = framesOf(products, conv, x);
  const made = groupsOf(products, conv, bytes).map((channels, group) => {
    const kernels = kernelMatrix(weights, conv, group);
    const each = outputs / groups;
    const matrix = products.matrix(`${weight.name}_${group}`, kernel * inputs, each, false, () => kernels);
    const place = { channel: group * inputs, channels: inputs, output: group * each };
    addLost(given, kernels, matrix.rounded, place);
    return products.product(windowsOf(products, conv, channels, frames), matrix, zero);
  });
  const joined = products.op('Concat', made, [integerAttribute('axis', 1)]); // [B frames, outputs]
  const placed = batched(products, conv, x, joined);
  return products.op('Mul', [placed, products.op('Unsqueeze', [step, products.int64([1, 2])])]);
}
