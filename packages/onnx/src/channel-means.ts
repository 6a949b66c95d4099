import { constantProduct } from './constant-product.ts';
import { MIDDLE } from './integer-products.ts';
import { type ModelFile, fileOutput } from './model-file.ts';
import { RewrittenGraph } from './rewritten-graph.ts';
import { ZeroPoints } from './zero-points.ts';

/** The mean of each channel of values [..., width] that products with constant matrices take, by the value's name. */
export type ChannelMeans = ReadonlyMap<string, Float32Array>;

/**
 * Adds outputs to a float32 model, in place: for each value that a product with a constant matrix takes (none that leaves a relu or
 * a gelu: their least value is what they have in common), the mean of each of its channels over all else, [width].
 * @param prefix of the new outputs' names
 * @returns the output of each such value
 */
export function giveChannelMeans(model: ModelFile, prefix: string): Map<string, string> {
  const tensors = new Map(model.initializers.map((tensor) => [tensor.name, tensor]));
  const zeros = new ZeroPoints(model.nodes);
  const g = new RewrittenGraph(model, prefix);
  const means = new Map<string, string>();
  for (const node of model.nodes) {
    const product = constantProduct(node, tensors);
    if (product === undefined || means.has(product.input) || zeros.of(product.input) !== MIDDLE) continue;
    const rows = g.rows(product.input, product.inputs);
    means.set(product.input, g.reduced('ReduceMean', rows, [0]));
  }
  model.nodes.push(...g.nodes);
  model.initializers.push(...g.tensors);
  model.outputs.push(...[...means.values()].map((name) => fileOutput(name)));
  return means;
}
