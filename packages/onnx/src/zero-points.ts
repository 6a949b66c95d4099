import type { ZeroPoint } from './integer-products.ts';
import type { FileNode } from './model-file.ts';

/** Where zero lies among the bytes of a value. */
export class ZeroPoints {
  private readonly makers = new Map<string, FileNode>();

  constructor(nodes: readonly FileNode[]) {
    for (const node of nodes) for (const output of node.outputs) this.makers.set(output, node);
  }

  of(value: string): ZeroPoint {
    return this.hardlyNegative(value) ? 17 : 91;
  }

  /** Whether the value leaves a relu or a gelu, also one that is spelt out: x / 2 (1 + erf(x / sqrt 2)). */
  private hardlyNegative(value: string): boolean {
    const node = this.makers.get(value);
    if (node === undefined) return false;
    if (['Relu', 'Gelu', 'FastGelu', 'BiasGelu'].includes(node.type)) return true;
    if (['Transpose', 'Reshape', 'Identity'].includes(node.type))
      return this.hardlyNegative(node.inputs[0] as string);
    return node.type === 'Mul' && this.holdsErf(node, 3);
  }

  private holdsErf({ inputs }: FileNode, depth: number): boolean {
    return inputs.some((input) => {
      const node = this.makers.get(input);
      if (node === undefined || depth === 0) return false;
      return node.type === 'Erf' || (['Mul', 'Add'].includes(node.type) && this.holdsErf(node, depth - 1));
    });
  }
}
