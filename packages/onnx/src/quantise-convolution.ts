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
import type { IntegerProducts, ZeroPoint } from './integer-products.ts';
import { integerAttribute } from './model-file.ts';

/**
 * The convolution as products of integers, quantised before frames are laid side by side: bytes are copied, not floats.
 * @param x [B, T, inputs]: channels last
 * @returns [B, frames, outputs], with the bias
 */
export function convolve(products: IntegerProducts, conv: Convolution, x: string, zero: ZeroPoint): string {
  const weights = products.model.floats(conv.weight);
  const made = (conv.groups === 1 ? blockProducts : groupProducts)(products, conv, { x, zero, weights });
  const bias = biasOf(conv);
  return bias === undefined ? made : products.op('Add', [made, bias]);
}

interface Given {
  /** [B, T, inputs] */
  readonly x: string;
  readonly zero: ZeroPoint;
  /** The convolution's, as they are stored. */
  readonly weights: Float32Array;
}

/**
 * Input frames in blocks of one stride have a scale of their own: block t + m meets the m-th part of the kernel, which is as
 * long as a stride, the last one perhaps shorter.
 */
function blockProducts(products: IntegerProducts, conv: Convolution, { x, zero, weights }: Given): string {
  const { weight, kernel, stride } = conv;
  const [outputs, inputs] = weight.shape as [number, number];
  const frames = framesOf(products, conv, x);
  const { bytes, step } = blockBytes(products, x, { stride, inputs, zero });
  let sum: string | undefined;
  for (let from = 0; from < kernel; from += stride) {
    const part = { from, width: Math.min(stride, kernel - from) };
    const rows = windowsOf(products, conv, bytes, frames, part);
    const matrix = products.matrix(`${weight.name}_${from}`, part.width * inputs, outputs, false, () =>
      kernelMatrix(weights, conv, 0, part),
    );
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
function groupProducts(products: IntegerProducts, conv: Convolution, { x, zero, weights }: Given): string {
  const { weight, kernel, groups } = conv;
  const [outputs, inputs] = weight.shape as [number, number];
  const step = products.stepOf(x, [1, 2], zero); // [B]
  const bytes = padded(products, conv, products.bytesOf(x, step, zero), products.zeroPoint(zero));
  const frames = framesOf(products, conv, x);
  const made = groupsOf(products, conv, bytes).map((channels, group) => {
    const matrix = products.matrix(`${weight.name}_${group}`, kernel * inputs, outputs / groups, false, () =>
      kernelMatrix(weights, conv, group),
    );
    return products.product(windowsOf(products, conv, channels, frames), matrix, zero);
  });
  const joined = products.op('Concat', made, [integerAttribute('axis', 1)]); // [B frames, outputs]
  const placed = batched(products, conv, x, joined);
  return products.op('Mul', [placed, products.op('Unsqueeze', [step, products.int64([1, 2])])]);
}
