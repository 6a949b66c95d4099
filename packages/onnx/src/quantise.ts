import { ELEMENT_TYPES } from './element-type.ts';
import { MICROSOFT } from './graph.ts';
import { IntegerProducts, type ZeroPoint } from './integer-products.ts';
import {
  type FileNode,
  type FileTensor,
  type ModelFile,
  holdsGraph,
  integerAttribute,
  integerList,
  integersAttribute,
  numberAttribute,
} from './model-file.ts';
import { convolutionOf, convolve, convolveWave, waveConvolutionOf } from './quantise-convolution.ts';

/** Smaller matrices cost nothing as they are. */
const SMALLEST_SIDE = 64;
/** [B, channels, T] <-> [B, T, channels] */
const TURNED = [0, 2, 1];

/** Version of the arithmetic, for fingerprints: raised by hand when a change here gives other numbers. */
export const INT8_SCHEME =
  'int8-2: weights 181 steps a column, activations 182 a row or recording, also in convolutions';

/**
 * Turns, in place, every product with a constant matrix (MatMul, Gemm) of at least 64 x 64, and convolutions along time of at
 * least 64 channels, into products of integers; a convolution over a waveform becomes a float32 product of the same bits; all
 * else stays. Weights have one scale for each output, fixed now; activations one scale for each row (token, frame), found when
 * the model runs, or for each recording where a convolution's windows overlap almost wholly. So a result depends on nothing but its own row or recording, whatever it shares a batch with.
 *
 * @returns how many products and convolutions were changed
 * @throws Error where the operator set is older than 13
 */
export function quantiseProducts(model: ModelFile): number {
  if (model.opset < 13) throw new Error(`the model uses operator set ${model.opset}, int8 needs 13 or newer`);
  const tensors = new Map(model.initializers.map((tensor) => [tensor.name, tensor]));
  const products = new IntegerProducts(model);
  const zeros = new ZeroPoints(model.nodes);
  /** Of a value [B, channels, T], the same with channels last. */
  const channelsLast = new Map<string, string>();
  const onlyTurned = valuesThatAreOnlyTurned(model);
  let changed = 0;
  for (const node of model.nodes) {
    const [input, output] = [node.inputs[0] as string, node.outputs[0] as string];
    const conv = convolutionOf(node, tensors);
    if (conv !== undefined) {
      const given = channelsLast.get(input) ?? turn(products, input);
      const made = convolve(products, conv, given, zeros.of(input));
      turn(products, made, output);
      channelsLast.set(output, made);
      changed++;
      continue;
    }
    const wave = onlyTurned.has(output) ? waveConvolutionOf(node, tensors) : undefined;
    if (wave !== undefined) {
      channelsLast.set(output, convolveWave(products, wave, input));
      turn(products, channelsLast.get(output) as string, output);
      continue;
    }
    const product = productOf(node, tensors);
    if (product !== undefined) {
      replace(products, product, zeros.of(input));
      changed++;
      continue;
    }
    const turning = turns(node);
    const same = turning ? channelsLast.get(input) : undefined;
    if (same === undefined) products.nodes.push(node);
    else products.op('Identity', [same], [], '', output);
    if (turning) channelsLast.set(output, input);
  }
  finish(model, products);
  if (changed > 0) model.useDomain(MICROSOFT);
  return changed;
}

const turns = (node: FileNode): boolean =>
  node.type === 'Transpose' && integerList(node, 'perm')?.join() === TURNED.join();

/** Values that nothing takes but transpositions to channels last. */
function valuesThatAreOnlyTurned({ nodes, outputs }: ModelFile): Set<string> {
  const others = new Set(outputs.map(({ name }) => name));
  for (const node of nodes) if (!turns(node)) for (const input of node.inputs) others.add(input);
  const turned = nodes.filter(turns).map(({ inputs }) => inputs[0] as string);
  return new Set(turned.filter((value) => !others.has(value)));
}

/** Where zero lies among the bytes of a value. */
class ZeroPoints {
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

function turn(products: IntegerProducts, x: string, output?: string): string {
  return products.op('Transpose', [x], [integersAttribute('perm', TURNED)], '', output);
}

/** Takes over the new nodes, without transpositions and constants that nothing needs any more. */
function finish(model: ModelFile, { nodes, tensors }: IntegerProducts): void {
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

interface Product {
  readonly input: string;
  readonly weight: FileTensor;
  /** Weights lie as [outputs, inputs] instead of [inputs, outputs]. */
  readonly turned: boolean;
  /** The input is [rows, inputs], not any number of dimensions. */
  readonly flat: boolean;
  readonly bias: string | undefined;
  readonly output: string;
}

function productOf(node: FileNode, tensors: ReadonlyMap<string, FileTensor>): Product | undefined {
  if (node.domain !== '' || (node.type !== 'MatMul' && node.type !== 'Gemm')) return undefined;
  const [input, second, third] = node.inputs as readonly [string, string, string?];
  const weight = tensors.get(second);
  if (weight === undefined || weight.type !== ELEMENT_TYPES.float32 || weight.shape.length !== 2)
    return undefined;
  if (Math.min(...weight.shape) < SMALLEST_SIDE || tensors.has(input)) return undefined;
  const plain = (name: string, value: number): boolean => (numberAttribute(node, name) ?? value) === value;
  if (node.type === 'Gemm' && !(plain('alpha', 1) && plain('beta', 1) && plain('transA', 0)))
    return undefined;
  return {
    input,
    weight,
    turned: node.type === 'Gemm' && numberAttribute(node, 'transB') === 1,
    flat: node.type === 'Gemm',
    bias: third === '' ? undefined : third,
    output: node.outputs[0] as string,
  };
}

/** y = x W + b  ->  y = step(x) * (bytes(x) bytes(W) * step(W)) + b */
function replace(products: IntegerProducts, product: Product, zero: ZeroPoint): void {
  const { input, weight, turned, flat, bias, output } = product;
  const [rows, columns] = weight.shape as [number, number];
  const [inputs, outputs] = turned ? [columns, rows] : [rows, columns];
  const { bytes, step } = products.activation(flat ? input : products.rows(input, inputs), zero);
  const matrix = products.matrix(weight.name, inputs, outputs, turned, () => products.model.floats(weight));
  const scaled = products.op(
    'Mul',
    [products.product(bytes, matrix, zero), step],
    [],
    '',
    flat && bias === undefined ? output : undefined,
  );
  if (bias !== undefined) products.op('Add', [scaled, bias], [], '', output);
  else if (!flat) products.op('Reshape', [scaled, placeOf(products, input, outputs)], [], '', output);
}

/** Shape of a product: the input's with another last dimension. */
function placeOf(products: IntegerProducts, input: string, outputs: number): string {
  const shape = products.op('Shape', [input]);
  const leading = products.op('Slice', [shape, products.int64([0]), products.int64([-1])]);
  return products.op('Concat', [leading, products.int64([outputs])], [integerAttribute('axis', 0)]);
}
