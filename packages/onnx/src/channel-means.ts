import { convolutionOf } from './convolution-rows.ts';
import { constantProduct } from './constant-product.ts';
import { type ModelFile, fileOutput } from './model-file.ts';
import { RewrittenGraph } from './rewritten-graph.ts';

/** The mean of each channel of values [..., width] that products take, or [B, width, T] that convolutions take, by the value's name. */
export type ChannelMeans = ReadonlyMap<string, Float32Array>;

/**
 * Adds outputs to a float32 model, in place: for each value that a product with a constant matrix or a convolution along time
 * takes, the mean of each of its channels over all else, [width].
 * @param prefix of the new outputs' names
 * @returns the output of each such value
 */
export function giveChannelMeans(model: ModelFile, prefix: string): Map<string, string> {
  const tensors = new Map(model.initializers.map((tensor) => [tensor.name, tensor]));
  const g = new RewrittenGraph(model, prefix);
  const means = new Map<string, string>();
  for (const node of model.nodes) {
    const input = node.inputs[0] as string;
    if (means.has(input)) continue;
    const product = constantProduct(node, tensors);
    if (product !== undefined) means.set(input, g.reduced('ReduceMean', g.rows(input, product.inputs), [0]));
    else if (convolutionOf(node, tensors) !== undefined)
      means.set(input, g.reduced('ReduceMean', input, [0, 2]));
  }
  model.nodes.push(...g.nodes);
  model.initializers.push(...g.tensors);
  model.outputs.push(...[...means.values()].map((name) => fileOutput(name)));
  return means;
}
