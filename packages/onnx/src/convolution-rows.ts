import { ELEMENT_TYPES } from './element-type.ts';
import {
  type FileNode,
  type FileTensor,
  integerAttribute,
  integerList,
  integersAttribute,
  numberAttribute,
  textAttribute,
} from './model-file.ts';
import type { RewrittenGraph } from './rewritten-graph.ts';

/** Fewer channels cost little as they are. */
const FEWEST_CHANNELS = 64;
/** Kernels that are so many times longer than their stride would lay each frame side by side as often. */
const MOST_COPIES = 4;
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

/** The convolution that a node is, if it is one of those that become products of rows. */
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
  if (pads.some((pad) => pad !== 0)) return undefined;
  return Math.ceil(kernel / stride) <= MOST_COPIES ? found : undefined;
}

/** The convolution over a waveform that a node is: one channel goes in, many come out. */
export function waveConvolutionOf(
  node: FileNode,
  tensors: ReadonlyMap<string, FileTensor>,
): Convolution | undefined {
  const found = plainConvolution(node, tensors);
  if (found === undefined) return undefined;
  const { weight, kernel, stride, groups, pads } = found;
  const [outputs, inputs] = weight.shape as [number, number];
  const many = inputs === 1 && groups === 1 && outputs >= FEWEST_CHANNELS;
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

/** The convolution's bias [outputs], if it has one. */
export function biasOf({ node }: Convolution): string | undefined {
  return node.inputs[2] === '' ? undefined : node.inputs[2];
}

/**
 * What the kernel, or some frames of it, sees for each frame that comes out, side by side: one copy, and the convolution is one
 * product.
 * @param x [B, T, channels]: channels last, with the convolution's padding
 * @param frames that come out, int64 [1]
 * @param part frames of the kernel, all of them unless given
 * @returns rows [B frames, width * channels]
 */
export function windowsOf(
  g: RewrittenGraph,
  { weight, kernel, stride }: Convolution,
  x: string,
  frames: string,
  part = { from: 0, width: kernel },
): string {
  const shape = g.int64([-1, part.width * (weight.shape[1] as number)]);
  if (kernel === 1 && stride === 1) return g.op('Reshape', [x, shape]);
  const count = g.op('Range', [g.whole(0), g.op('Squeeze', [frames]), g.whole(1)]);
  const first = g.op('Mul', [g.op('Unsqueeze', [count, g.int64([1])]), g.whole(stride)]);
  const within = g.int64(Array.from({ length: part.width }, (_, i) => part.from + i));
  const places = g.op('Add', [first, within]); // [frames, width]
  return g.op('Reshape', [g.op('Gather', [x, places], [integerAttribute('axis', 1)]), shape]);
}

/** Channels of each group. @param x [B, T, channels] */
export function groupsOf(g: RewrittenGraph, { weight, groups }: Convolution, x: string): string[] {
  const inputs = weight.shape[1] as number;
  return Array.from({ length: groups }, (_, group) => {
    const bounds = [group * inputs, (group + 1) * inputs].map((at) => g.int64([at]));
    return groups === 1 ? x : g.op('Slice', [x, ...bounds, g.int64([2])]);
  });
}

/** With the convolution's padding. @param x [B, T, channels] @param zero what is added, of x's type */
export function padded(g: RewrittenGraph, { pads }: Convolution, x: string, zero: string): string {
  return pads.every((pad) => pad === 0) ? x : g.op('Pad', [x, g.int64([0, pads[0], 0, 0, pads[1], 0]), zero]);
}

/**
 * What the kernel sees of each frame of a waveform, side by side.
 * @param x [B, T, 1]
 * @returns [B frames, kernel]
 */
export function waveWindows(g: RewrittenGraph, conv: Convolution, x: string): string {
  const { kernel, stride } = conv;
  const span = g.op('Mul', [framesOf(g, conv, x), g.int64([stride])]);
  const parts: string[] = [];
  for (let from = 0; from < kernel; from += stride) {
    const end = g.op('Add', [span, g.int64([from])]);
    const part = g.op('Slice', [x, g.int64([from]), end, g.int64([1])]);
    parts.push(g.op('Reshape', [part, g.int64([-1, stride])]));
  }
  return g.op('Concat', parts, [integerAttribute('axis', 1)]);
}

/** How many frames come out. int64 [1] @param x [B, T, channels], without padding */
export function framesOf(g: RewrittenGraph, { kernel, stride, pads }: Convolution, x: string): string {
  const length = g.op('Slice', [g.op('Shape', [x]), g.int64([1]), g.int64([2])]);
  const steps = g.op('Add', [length, g.int64([pads[0] + pads[1] - kernel])]);
  return g.op('Add', [g.op('Div', [steps, g.int64([stride])]), g.int64([1])]);
}

/** [B frames, outputs] -> [B, frames, outputs] @param x [B, ...] */
export function batched(g: RewrittenGraph, { weight }: Convolution, x: string, rows: string): string {
  const batch = g.op('Slice', [g.op('Shape', [x]), g.int64([0]), g.int64([1])]);
  const wanted = [batch, g.int64([-1, weight.shape[0] as number])];
  return g.op('Reshape', [rows, g.op('Concat', wanted, [integerAttribute('axis', 0)])]);
}

/** A group's kernel, or some frames of it, as a matrix: [width * inputs, outputs / groups], frame by frame. */
export function kernelMatrix(
  weights: Float32Array,
  { weight, kernel, groups }: Convolution,
  group: number,
  part = { from: 0, width: kernel },
): Float32Array {
  const [outputs, inputs] = weight.shape as [number, number];
  const each = outputs / groups;
  const matrix = new Float32Array(part.width * inputs * each);
  let at = 0;
  for (let frame = part.from; frame < part.from + part.width; frame++)
    for (let input = 0; input < inputs; input++)
      for (let output = group * each; output < (group + 1) * each; output++)
        matrix[at++] = weights[(output * inputs + input) * kernel + frame] as number;
  return matrix;
}

/** [B, channels, T] <-> [B, T, channels] */
const TURNED = [0, 2, 1];

export const turns = (node: FileNode): boolean =>
  node.type === 'Transpose' && integerList(node, 'perm')?.join() === TURNED.join();

export function turn(g: RewrittenGraph, x: string, output?: string): string {
  return g.op('Transpose', [x], [integersAttribute('perm', TURNED)], '', output);
}
