import { turn, turns } from './convolution-rows.ts';
import { type FileNode, type ModelFile, holdsGraph } from './model-file.ts';
import type { RewrittenGraph } from './rewritten-graph.ts';

/** Which values [B, channels, T] of a graph stand there with channels last as well, while it is written anew. */
export class ChannelsLast {
  private readonly model: ModelFile;
  private readonly g: RewrittenGraph;
  private readonly same = new Map<string, string>();
  private readonly onlyTurned: Set<string>;

  constructor(model: ModelFile, g: RewrittenGraph) {
    this.model = model;
    this.g = g;
    this.onlyTurned = valuesThatAreOnlyTurned(model);
  }

  /** Whether nothing takes the value but transpositions to channels last. */
  isOnlyTurned(value: string): boolean {
    return this.onlyTurned.has(value);
  }

  has(value: string): boolean {
    return this.same.has(value);
  }

  /** The value with channels last, turned where it is not there yet. */
  of(value: string): string {
    return this.same.get(value) ?? turn(this.g, value);
  }

  /** A value is made with channels last, and turned for whoever wants it otherwise. */
  set(value: string, made: string): void {
    turn(this.g, made, value);
    this.same.set(value, made);
  }

  /** A node stays, but for a transposition of what stands there turned already. */
  keep(node: FileNode): void {
    const turning = turns(node);
    const [input, output] = [node.inputs[0] as string, node.outputs[0] as string];
    const same = turning ? this.same.get(input) : undefined;
    if (same === undefined) this.g.nodes.push(node);
    else this.g.op('Identity', [same], [], '', output);
    if (turning) this.same.set(output, input);
  }

  /** The model takes over the new nodes, without transpositions and constants that nothing needs any more. */
  finish(): void {
    const { model } = this;
    const { nodes, tensors } = this.g;
    const all = [...model.initializers, ...tensors];
    // Graphs within nodes see every value of this one.
    if (nodes.some(holdsGraph)) {
      model.nodes = nodes;
      model.initializers = all;
      return;
    }
    const used = new Set(model.outputs.map(({ name }) => name));
    const kept: FileNode[] = [];
    for (const node of nodes.toReversed()) {
      if (node.type === 'Transpose' && !used.has(node.outputs[0] as string)) continue;
      for (const input of node.inputs) used.add(input);
      kept.push(node);
    }
    model.nodes = kept.toReversed();
    model.initializers = all.filter(({ name }) => used.has(name));
  }
}

function valuesThatAreOnlyTurned({ nodes, outputs }: ModelFile): Set<string> {
  const others = new Set(outputs.map(({ name }) => name));
  for (const node of nodes) if (!turns(node)) for (const input of node.inputs) others.add(input);
  const turned = nodes.filter(turns).map(({ inputs }) => inputs[0] as string);
  return new Set(turned.filter((value) => !others.has(value)));
}
