import { Graph } from './graph.ts';

/**
 * Removes, in place, nodes whose results no output needs, and constants that no node needs. Autodiff leaves many:
 * gradients of inputs that nobody asked for, values saved for a backward pass that is not there.
 * @param inputs whether inputs that nothing needs go too
 */
export function prune(graph: Graph, inputs = false): void {
  const needed = new Set<string>();
  prunedNodes(graph, needed);
  keep(graph.initializers, (tensor) => needed.has(tensor.name));
  if (inputs) keep(graph.inputs, (input) => needed.has(input.name));
}

function prunedNodes(graph: Graph, needed: Set<string>): void {
  for (const output of graph.outputs) needed.add(output.name);
  const live = new Set<object>();
  // Nodes are in order of definition, so all users of a value come after it.
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
    live.add(node);
    for (const input of node.inputs) needed.add(input);
    for (const attribute of Object.values(node.attributes)) {
      if (attribute instanceof Graph) prunedNodes(attribute, needed);
    }
  }
  keep(graph.nodes, (node) => live.has(node));
}

function keep<T>(items: T[], wanted: (item: T) => boolean): void {
  items.splice(0, items.length, ...items.filter(wanted));
}
