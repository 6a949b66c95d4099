import { ELEMENT_TYPES } from './element-type.ts';
import { type FileNode, type FileTensor, numberAttribute } from './model-file.ts';

/** Smaller matrices cost nothing as they are. */
const SMALLEST_SIDE = 64;

/** A product with a constant matrix: y = x W + b. */
export interface ConstantProduct {
  readonly input: string;
  readonly weight: FileTensor;
  /** Of one row. */
  readonly inputs: number;
  readonly outputs: number;
  /** Weights lie as [outputs, inputs] instead of [inputs, outputs]. */
  readonly turned: boolean;
  /** The input is [rows, inputs], not any number of dimensions. */
  readonly flat: boolean;
  readonly bias: string | undefined;
  readonly output: string;
}

/** The product with a constant float32 matrix of at least 64 x 64 that a node is. */
export function constantProduct(
  node: FileNode,
  tensors: ReadonlyMap<string, FileTensor>,
): ConstantProduct | undefined {
  if (node.domain !== '' || (node.type !== 'MatMul' && node.type !== 'Gemm')) return undefined;
  const [input, second, third] = node.inputs as readonly [string, string, string?];
  const weight = tensors.get(second);
  if (weight === undefined || weight.type !== ELEMENT_TYPES.float32 || weight.shape.length !== 2)
    return undefined;
  if (Math.min(...weight.shape) < SMALLEST_SIDE || tensors.has(input)) return undefined;
  const plain = (name: string, value: number): boolean => (numberAttribute(node, name) ?? value) === value;
  if (node.type === 'Gemm' && !(plain('alpha', 1) && plain('beta', 1) && plain('transA', 0)))
    return undefined;
  const turned = node.type === 'Gemm' && numberAttribute(node, 'transB') === 1;
  const [rows, columns] = weight.shape as [number, number];
  const [inputs, outputs] = turned ? [columns, rows] : [rows, columns];
  return {
    input,
    weight,
    inputs,
    outputs,
    turned,
    flat: node.type === 'Gemm',
    bias: third === '' ? undefined : third,
    output: node.outputs[0] as string,
  };
}
