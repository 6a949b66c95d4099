import { ELEMENT_TYPES } from './element-type.ts';
import { MICROSOFT } from './graph.ts';
import {
  type FileNode,
  type FileTensor,
  type ModelFile,
  fileTensor,
  integerAttribute,
  integersAttribute,
  numberAttribute,
} from './model-file.ts';

/**
 * Largest weight in steps: 7 bits and a sign. Processors without VNNI add two products of 8 bits in 16 and cut off what
 * is beyond: 2 x 255 x 64 stays within, so that sums are exact everywhere.
 */
const WEIGHT_STEPS = 64;
/** Largest activation in steps, to both sides of the zero point. */
const ACTIVATION_STEPS = 127;
const ZERO_POINT = 128;
/** Smaller matrices cost nothing as they are. */
const SMALLEST_SIDE = 64;
/** A row of zeros has a scale, too. */
const TINY = 1e-20;

/** Version of the arithmetic below, for fingerprints: raised by hand when it changes. */
export const INT8_SCHEME = 'int8-1: weights 7 bits a column, activations 8 bits a row';

/**
 * Turns, in place, every product with a constant matrix (MatMul, Gemm) of at least 64 x 64 into one of integers; all else
 * stays. Weights have one scale for each output, fixed now; activations one scale for each row (token, frame), found when
 * the model runs. So a row's result depends on nothing but the row, whatever it shares a batch with.
 *
 * @returns how many products were changed
 * @throws Error where the operator set is older than 13
 */
export function quantiseProducts(model: ModelFile): number {
  if (model.opset < 13) throw new Error(`the model uses operator set ${model.opset}, int8 needs 13 or newer`);
  const tensors = new Map(model.initializers.map((tensor) => [tensor.name, tensor]));
  const pass = new Pass(model);
  let changed = 0;
  for (const node of model.nodes) {
    const product = productOf(node, tensors);
    if (product === undefined) {
      pass.nodes.push(node);
      continue;
    }
    pass.replace(product);
    changed++;
  }
  model.nodes = pass.nodes;
  const used = new Set(pass.nodes.flatMap(({ inputs }) => inputs));
  const outputs = new Set(model.outputs.map(({ name }) => name));
  model.initializers = [...model.initializers, ...pass.tensors].filter(
    ({ name }) => used.has(name) || outputs.has(name),
  );
  if (changed > 0) model.useDomain(MICROSOFT);
  return changed;
}

interface Product {
  readonly input: string;
  readonly weight: FileTensor;
  /** Weights lie as [outputs, inputs] instead of [inputs, outputs]. */
  readonly turned: boolean;
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
    bias: third === '' ? undefined : third,
    output: node.outputs[0] as string,
  };
}

/** A quantised activation: bytes, and what a step of each row is worth. */
interface Activation {
  readonly bytes: string;
  readonly step: string;
}

class Pass {
  readonly nodes: FileNode[] = [];
  readonly tensors: FileTensor[] = [];
  private readonly model: ModelFile;
  /** Queries, keys and values share their input. */
  private readonly activations = new Map<string, Activation>();
  private readonly weights = new Map<string, readonly [string, string]>();
  private readonly constants = new Map<string, string>();

  constructor(model: ModelFile) {
    this.model = model;
  }

  /** y = x W + b  ->  y = step(x) * (bytes(x) bytes(W) * step(W)) + b */
  replace({ input, weight, turned, bias, output }: Product): void {
    const { bytes, step } = this.activation(input);
    const [matrix, steps] = this.matrix(weight, turned);
    const zero = this.constant('zero_point', 'uint8', Uint8Array.of(ZERO_POINT));
    const one = this.constant('one', 'float32', Float32Array.of(1));
    const product = this.op('MatMulIntegerToFloat', [bytes, matrix, one, steps, zero], [], MICROSOFT);
    const scaled = this.op('Mul', [product, step], [], '', bias === undefined ? output : undefined);
    if (bias !== undefined) this.op('Add', [scaled, bias], [], '', output);
  }

  private activation(x: string): Activation {
    const known = this.activations.get(x);
    if (known !== undefined) return known;
    const largest = this.op('Max', [
      this.rowMaximum(this.op('Abs', [x])),
      this.constant('tiny', 'float32', Float32Array.of(TINY)),
    ]);
    const most = this.constant('steps', 'float32', Float32Array.of(ACTIVATION_STEPS));
    const scaled = this.op('Mul', [x, this.op('Div', [most, largest])]);
    const one = this.constant('one', 'float32', Float32Array.of(1));
    const zero = this.constant('zero_point', 'uint8', Uint8Array.of(ZERO_POINT));
    const made = {
      bytes: this.op('QuantizeLinear', [scaled, one, zero]),
      step: this.op('Div', [largest, most]),
    };
    this.activations.set(x, made);
    return made;
  }

  /** From operator set 18 on, axes are an input. */
  private rowMaximum(x: string): string {
    if (this.model.opset < 18) return this.op('ReduceMax', [x], [integersAttribute('axes', [-1])]);
    const axes = this.constant('last_axis', 'int64', BigInt64Array.of(-1n), [1]);
    return this.op('ReduceMax', [x, axes], [integerAttribute('keepdims', 1)]);
  }

  private matrix(weight: FileTensor, turned: boolean): readonly [string, string] {
    const key = `${weight.name} ${turned}`;
    const known = this.weights.get(key);
    if (known !== undefined) return known;
    const [rows, columns] = weight.shape as [number, number];
    const inputs = turned ? columns : rows;
    const outputs = turned ? rows : columns;
    const { bytes, steps } = quantiseMatrix(this.model.floats(weight), inputs, outputs, turned);
    const names = [this.model.fresh(`${weight.name}_int8`), this.model.fresh(`${weight.name}_step`)] as const;
    this.tensors.push(fileTensor(names[0], 'int8', [inputs, outputs], bytes));
    this.tensors.push(fileTensor(names[1], 'float32', [outputs], steps));
    this.weights.set(key, names);
    return names;
  }

  private constant(
    name: string,
    type: 'float32' | 'uint8' | 'int64',
    data: Float32Array | Uint8Array | BigInt64Array,
    shape: readonly number[] = [],
  ): string {
    const known = this.constants.get(name);
    if (known !== undefined) return known;
    const made = this.model.fresh(`int8_${name}`);
    this.tensors.push(fileTensor(made, type, shape, data));
    this.constants.set(name, made);
    return made;
  }

  private op(
    type: string,
    inputs: readonly string[],
    attributes: readonly Uint8Array[] = [],
    domain = '',
    output = this.model.fresh(`int8_${type}_${this.nodes.length}`),
  ): string {
    this.nodes.push({ type, domain, inputs, outputs: [output], attributes });
    return output;
  }
}

/**
 * Rounds a matrix to whole steps, one step size for each output.
 * @param weights [inputs, outputs], or [outputs, inputs] where `turned`
 * @returns bytes [inputs, outputs] and the step sizes [outputs]
 */
export function quantiseMatrix(
  weights: Float32Array,
  inputs: number,
  outputs: number,
  turned: boolean,
): { bytes: Int8Array; steps: Float32Array } {
  const [perInput, perOutput] = turned ? [1, inputs] : [outputs, 1];
  const bytes = new Int8Array(inputs * outputs);
  const steps = new Float32Array(outputs);
  for (let output = 0; output < outputs; output++) {
    let largest = 0;
    for (let input = 0; input < inputs; input++)
      largest = Math.max(largest, Math.abs(weights[output * perOutput + input * perInput] as number));
    const step = Math.fround(largest / WEIGHT_STEPS) || 1;
    steps[output] = step;
    for (let input = 0; input < inputs; input++)
      bytes[input * outputs + output] = Math.round(
        (weights[output * perOutput + input * perInput] as number) / step,
      );
  }
  return { bytes, steps };
}
