import { ELEMENT_TYPES } from './element-type.ts';
import type { IntegerProducts, ZeroPoint } from './integer-products.ts';
import {
  type FileNode,
  type FileTensor,
  integerAttribute,
  integerList,
  integersAttribute,
  numberAttribute,
  textAttribute,
} from './model-file.ts';

/** Fewer channels cost little as they are. */
const FEWEST_CHANNELS = 64;
/** Kernels that are so many times longer than their stride would be summed from more products than that. */
const MOST_PRODUCTS = 4;
/** Largest group whose windows are laid out side by side. */
const WIDEST_GROUP = 128;

/** A convolution along time with constant weights [outputs, inputs / groups, kernel]. */
export interface Convolution {
  readonly node: FileNode;
  readonly weight: FileTensor;
  readonly kernel: number;
  readonly stride: number;
  readonly groups: number;
  readonly pads: readonly [number, number];
}

/** The convolution that a node is, if it is one of those that become products of integers. */
export function convolutionOf(
  node: FileNode,
  tensors: ReadonlyMap<string, FileTensor>,
): Convolution | undefined {
  const found = plainConvolution(node, tensors);
  if (found === undefined) return undefined;
  const { weight, kernel, stride, groups, pads } = found;
  const [outputs, inputs] = weight.shape as [number, number];
  if (Math.min(inputs, outputs / groups) < FEWEST_CHANNELS) return undefined;
  if (groups > 1) return stride === 1 && inputs <= WIDEST_GROUP ? found : undefined;
  if (pads.some((pad) => pad !== 0) || kernel % stride > 1) return undefined;
  return Math.ceil(kernel / stride) <= MOST_PRODUCTS ? found : undefined;
}

/**
 * The convolution over a waveform that a node is: one channel goes in, many come out. Without a bias, which a product would
 * add to the sum and a convolution begins with.
 */
export function waveConvolutionOf(
  node: FileNode,
  tensors: ReadonlyMap<string, FileTensor>,
): Convolution | undefined {
  const found = plainConvolution(node, tensors);
  if (found === undefined) return undefined;
  const { weight, kernel, stride, groups, pads } = found;
  const [outputs, inputs] = weight.shape as [number, number];
  const bias = node.inputs[2] ?? '';
  const many = inputs === 1 && groups === 1 && outputs >= FEWEST_CHANNELS && bias === '';
  return many && pads.every((pad) => pad === 0) && kernel % stride === 0 ? found : undefined;
}

function plainConvolution(node: FileNode, tensors: ReadonlyMap<string, FileTensor>): Convolution | undefined {
  if (node.domain !== '' || node.type !== 'Conv') return undefined;
  const weight = tensors.get(node.inputs[1] as string);
  if (weight === undefined || weight.type !== ELEMENT_TYPES.float32 || weight.shape.length !== 3)
    return undefined;
  if (!['NOTSET', undefined].includes(textAttribute(node, 'auto_pad'))) return undefined;
  const kernel = weight.shape[2] as number;
  const [stride, dilation] = ['strides', 'dilations'].map((name) => integerList(node, name)?.[0] ?? 1) as [
    number,
    number,
  ];
  const groups = numberAttribute(node, 'group') ?? 1;
  const pads = (integerList(node, 'pads') ?? [0, 0]) as [number, number];
  return dilation === 1 ? { node, weight, kernel, stride, groups, pads } : undefined;
}

/**
 * The convolution as products of rows.
 * @param x [B, T, inputs]: channels last
 * @returns [B, frames, outputs], with the bias
 */
export function convolve(products: IntegerProducts, conv: Convolution, x: string, zero: ZeroPoint): string {
  const weights = products.model.floats(conv.weight);
  const made = (conv.groups === 1 ? blockProducts : windowProducts)(products, conv, { x, zero, weights });
  const bias = conv.node.inputs[2];
  return bias === undefined || bias === '' ? made : products.op('Add', [made, bias]);
}

/**
 * A convolution over a waveform as one float32 product of the same bits, which leaves its channels last: turning them costs
 * more than this does.
 * @param x [B, 1, T]
 * @returns [B, frames, outputs]
 */
export function convolveWave(products: IntegerProducts, conv: Convolution, x: string): string {
  const { weight, kernel, stride } = conv;
  const outputs = weight.shape[0] as number;
  const turned = products.op('Transpose', [x], [integersAttribute('perm', [0, 2, 1])]); // [B, T, 1]
  const frames = framesOf(products, conv, turned);
  const span = products.op('Mul', [frames, products.int64([stride])]);
  const parts: string[] = [];
  for (let from = 0; from < kernel; from += stride) {
    const end = products.op('Add', [span, products.int64([from])]);
    const part = products.op('Slice', [turned, products.int64([from]), end, products.int64([1])]);
    parts.push(products.op('Reshape', [part, products.int64([-1, stride])]));
  }
  const windows = products.op('Concat', parts, [integerAttribute('axis', 1)]); // [B frames, kernel]
  const matrix = products.floats(`${weight.name}_windows`, [kernel, outputs], () =>
    kernelPart(products.model.floats(weight), conv, { from: 0, width: kernel, outputs: [0, outputs] }),
  );
  return batched(products, conv, turned, products.op('MatMul', [windows, matrix]));
}

interface Given {
  /** [B, T, inputs] */
  readonly x: string;
  readonly zero: ZeroPoint;
  /** The convolution's, as they are stored. */
  readonly weights: Float32Array;
}

/**
 * Input frames in blocks of one stride are the rows: block t + m meets the m-th part of the kernel. Each row has its own
 * scale. A part of the kernel is as long as a stride, or a single frame.
 */
function blockProducts(products: IntegerProducts, conv: Convolution, { x, zero, weights }: Given): string {
  const { weight, kernel, stride } = conv;
  const [outputs, inputs] = weight.shape as [number, number];
  const span = products.op('Mul', [framesOf(products, conv, x), products.int64([stride])]);
  let sum: string | undefined;
  for (let from = 0; from < kernel; from += stride) {
    const whole = kernel - from >= stride;
    const width = (whole ? stride : 1) * inputs;
    const end = products.op('Add', [span, products.int64([whole ? from : from - stride + 1])]);
    const part = products.op('Slice', [
      x,
      products.int64([from]),
      end,
      products.int64([1]),
      products.int64([whole ? 1 : stride]),
    ]);
    const rows = products.activation(products.op('Reshape', [part, products.int64([-1, width])]), zero);
    const matrix = products.matrix(`${weight.name}_${from}`, width, outputs, false, () =>
      kernelPart(weights, conv, { from, width: width / inputs, outputs: [0, outputs] }),
    );
    const scaled = products.op('Mul', [products.product(rows.bytes, matrix, zero), rows.step]);
    sum = sum === undefined ? scaled : products.op('Add', [sum, scaled]);
  }
  return batched(products, conv, x, sum as string);
}

/**
 * Rows are all frames that the kernel covers, side by side, for each group of channels. One scale for each recording: these
 * windows share most of their frames.
 */
function windowProducts(products: IntegerProducts, conv: Convolution, { x, zero, weights }: Given): string {
  const { weight, kernel, groups, pads } = conv;
  const [outputs, inputs] = weight.shape as [number, number];
  const step = products.stepOf(x, [1, 2], zero); // [B]
  const bytes = products.bytesOf(x, step, zero);
  const padded = products.op('Pad', [
    bytes,
    products.int64([0, pads[0], 0, 0, pads[1], 0]),
    products.zeroPoint(zero),
  ]);
  const frames = products.op('Squeeze', [framesOf(products, conv, x)]);
  const [first, one] = [products.whole(0), products.whole(1)];
  const places = products.op('Add', [
    products.op('Unsqueeze', [products.op('Range', [first, frames, one]), products.int64([1])]),
    products.int64(Array.from({ length: kernel }, (_, i) => i)),
  ]); // [frames, kernel]
  const made = Array.from({ length: groups }, (_, group) => {
    const bounds = [group * inputs, (group + 1) * inputs].map((at) => products.int64([at]));
    const channels = products.op('Slice', [padded, ...bounds, products.int64([2])]); // [B, padded, inputs]
    const windows = products.op('Gather', [channels, places], [integerAttribute('axis', 1)]);
    const rows = products.op('Reshape', [windows, products.int64([-1, kernel * inputs])]);
    const each = outputs / groups;
    const matrix = products.matrix(`${weight.name}_${group}`, kernel * inputs, each, false, () =>
      kernelPart(weights, conv, {
        from: 0,
        width: kernel,
        outputs: [group * each, (group + 1) * each],
      }),
    );
    return products.product(rows, matrix, zero);
  });
  const joined = products.op('Concat', made, [integerAttribute('axis', 1)]); // [B frames, outputs]
  const placed = batched(products, conv, x, joined);
  return products.op('Mul', [placed, products.op('Unsqueeze', [step, products.int64([1, 2])])]);
}

/** How many frames come out. int64 [1] */
function framesOf(products: IntegerProducts, { kernel, stride, pads }: Convolution, x: string): string {
  const shape = products.op('Shape', [x]);
  const length = products.op('Slice', [shape, products.int64([1]), products.int64([2])]);
  const steps = products.op('Add', [length, products.int64([pads[0] + pads[1] - kernel])]);
  return products.op('Add', [products.op('Div', [steps, products.int64([stride])]), products.int64([1])]);
}

/** [B frames, outputs] -> [B, frames, outputs] */
function batched(products: IntegerProducts, { weight }: Convolution, x: string, rows: string): string {
  const shape = products.op('Shape', [x]);
  const batch = products.op('Slice', [shape, products.int64([0]), products.int64([1])]);
  const wanted = [batch, products.int64([-1, weight.shape[0] as number])];
  return products.op('Reshape', [rows, products.op('Concat', wanted, [integerAttribute('axis', 0)])]);
}

/** Part of a kernel as a matrix: [width * inputs, outputs], frame by frame. */
function kernelPart(
  weights: Float32Array,
  { weight, kernel }: Convolution,
  part: { from: number; width: number; outputs: readonly [number, number] },
): Float32Array {
  const inputs = weight.shape[1] as number;
  const [first, last] = part.outputs;
  const matrix = new Float32Array(part.width * inputs * (last - first));
  let at = 0;
  for (let frame = part.from; frame < part.from + part.width; frame++)
    for (let input = 0; input < inputs; input++)
      for (let output = first; output < last; output++)
        matrix[at++] = weights[(output * inputs + input) * kernel + frame] as number;
  return matrix;
}
