import { ChannelsLast } from './channels-last.ts';
import {
  type Convolution,
  batched,
  biasOf,
  convolutionOf,
  framesOf,
  groupsOf,
  kernelMatrix,
  padded,
  turn,
  waveConvolutionOf,
  waveWindows,
  windowsOf,
} from './convolution-rows.ts';
import { type ModelFile, integerAttribute } from './model-file.ts';
import { RewrittenGraph } from './rewritten-graph.ts';

/**
 * Turns, in place, convolutions along time into float32 products of what the kernel sees, for the CPU: a product is faster
 * there than a convolution. Those without groups only where channels stand last before and after, so that nothing has to be
 * turned. Sums are rounded otherwise.
 * @returns how many were changed
 */
export function layConvolutions(model: ModelFile): number {
  const tensors = new Map(model.initializers.map((tensor) => [tensor.name, tensor]));
  const g = new RewrittenGraph(model, 'rows');
  const last = new ChannelsLast(model, g);
  let changed = 0;
  for (const node of model.nodes) {
    const [input, output] = [node.inputs[0] as string, node.outputs[0] as string];
    const wave = waveConvolutionOf(node, tensors);
    const conv = last.has(input) ? convolutionOf(node, tensors) : undefined;
    if (wave !== undefined && last.isOnlyTurned(output)) {
      last.set(output, waveProduct(g, wave, input));
      changed++;
    } else if (conv !== undefined && (conv.groups > 1 || last.isOnlyTurned(output))) {
      last.set(output, floatProduct(g, conv, last.of(input)));
      changed++;
    } else last.keep(node);
  }
  last.finish();
  return changed;
}

/** @param x [B, 1, T]: a waveform @returns [B, frames, outputs] */
export function waveProduct(g: RewrittenGraph, conv: Convolution, x: string): string {
  const turned = turn(g, x);
  return batched(g, conv, turned, productOf(g, conv, waveWindows(g, conv, turned), 0));
}

/** @param x [B, T, inputs] @returns [B, frames, outputs] */
function floatProduct(g: RewrittenGraph, conv: Convolution, x: string): string {
  const frames = framesOf(g, conv, x);
  const made = groupsOf(g, conv, padded(g, conv, x, g.scalar(0))).map((channels, group) =>
    productOf(g, conv, windowsOf(g, conv, channels, frames), group),
  );
  if (made.length === 1) return batched(g, conv, x, made[0] as string);
  const placed = batched(g, conv, x, g.op('Concat', made, [integerAttribute('axis', 1)]));
  const bias = biasOf(conv);
  return bias === undefined ? placed : g.op('Add', [placed, bias]);
}

function productOf(g: RewrittenGraph, conv: Convolution, rows: string, group: number): string {
  const { weight, kernel, groups } = conv;
  const [outputs, inputs] = weight.shape as [number, number];
  const matrix = g.floats(`${weight.name}_${group}`, [kernel * inputs, outputs / groups], () =>
    kernelMatrix(g.model.floats(weight), conv, group),
  );
  const bias = groups === 1 ? biasOf(conv) : undefined;
  return g.op('Gemm', [rows, matrix, ...(bias === undefined ? [] : [bias])]);
}
