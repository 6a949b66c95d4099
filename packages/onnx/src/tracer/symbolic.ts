import { ELEMENT_TYPES, type ElementType } from '../element-type.ts';
import { type Attribute, type Dim, Graph, type Initializer, type Node } from '../graph.ts';
import { modelBytes } from '../model-writer.ts';
import { prune } from '../prune.ts';
import type { tf } from '../tfjs.ts';
import { monomial, type Monomial, type Sizes } from './monomial.ts';
import { traceGraph, type TracedModel, type TraceInput } from './trace.ts';

export interface SymbolicInput {
  readonly name: string;
  /** Sizes, or names of sizes that are known when the model runs. */
  readonly shape: readonly Dim[];
  /** Values that are stored in the model, instead of an input. Only where no size is a name. */
  readonly data?: Float32Array;
}

/** Two sets of sizes that share no factor with each other, and hardly ever with a size of a model. */
const FIRST = [101, 103, 107, 109, 113, 127];
const SECOND = [131, 137, 139, 149, 151, 157];

/**
 * Traces a function for every size of its named dimensions at once. tfjs knows shapes as numbers only, so the
 * function is traced twice, with two sets of prime sizes, and the two graphs are laid side by side: a constant that
 * is equal in both is one; one that differs is a product of sizes (a shape, a count), a range, or a repeated value,
 * and is computed from the inputs' shapes instead. Standard ONNX operators only.
 * @throws Error where the function builds different graphs for different sizes, or a constant depends on them in
 *   another way
 */
export function traceSymbolic(
  inputs: readonly SymbolicInput[],
  build: (tensors: Record<string, tf.Tensor>) => Record<string, tf.Tensor>,
): TracedModel {
  const names = [...new Set(inputs.flatMap(({ shape }) => shape.filter((dim) => typeof dim === 'string')))];
  if (names.length > FIRST.length)
    throw new Error(`at most ${FIRST.length} named sizes, got ${names.join(', ')}`);
  const sizes = (primes: readonly number[]): Sizes =>
    new Map(names.map((name, i) => [name, primes[i] as number]));
  const [first, second] = [sizes(FIRST), sizes(SECOND)];
  const traced = (own: Sizes): Graph => {
    const given = inputs.map(({ name, shape }): TraceInput => ({
      name,
      shape: shape.map((dim) => (typeof dim === 'string' ? (own.get(dim) as number) : dim)),
      dtype: 'float32',
    }));
    const graph = traceGraph(given, build, true);
    prune(graph);
    return graph;
  };
  const graph = new Merge(traced(first), traced(second), first, second).graph(inputs);
  prune(graph, true);
  return {
    bytes: modelBytes(graph),
    inputs: graph.inputs,
    outputs: graph.outputs,
    nodes: graph.nodes.length,
  };
}

/** The one graph that two traces are instances of. */
class Merge {
  private readonly out = new Graph('symbolic');
  private readonly a: Graph;
  private readonly b: Graph;
  private readonly first: Sizes;
  private readonly second: Sizes;
  private readonly constants: readonly [Map<string, Initializer>, Map<string, Initializer>];
  /** Names in the merged graph: of sizes, and of constants by the pair of their names. */
  private readonly sizeNames = new Map<string, string>();
  private readonly merged = new Map<string, string>();
  /** Of what nodes compute, by its name in the first trace; inputs keep theirs. */
  private readonly computed = new Map<string, string>();

  constructor(a: Graph, b: Graph, first: Sizes, second: Sizes) {
    this.a = a;
    this.b = b;
    this.first = first;
    this.second = second;
    const byName = ({ initializers }: Graph): Map<string, Initializer> =>
      new Map(initializers.map((one) => [one.name, one]));
    this.constants = [byName(a), byName(b)];
  }

  graph(inputs: readonly SymbolicInput[]): Graph {
    const { a, b, out } = this;
    for (const { name, shape, data } of inputs) {
      if (data === undefined) out.input(name, 'float32', shape);
      else out.initializer(name, 'float32', shape as number[], data);
    }
    for (const name of this.first.keys()) this.sizeNames.set(name, this.sizeOf(name, inputs));
    if (a.nodes.length !== b.nodes.length) throw new Error('other operations for other sizes');
    a.nodes.forEach((node, i) => this.node(node, b.nodes[i] as Node));
    a.outputs.forEach((output, i) => {
      const other = b.outputs[i] as Graph['outputs'][number];
      const shape = output.shape.map((dim, axis) =>
        this.dimension(dim as number, other.shape[axis] as number),
      );
      out.output(this.value(output.name, other.name), output.type, shape, output.name);
    });
    return out;
  }

  /** A size as an int64 scalar, read off the first input that has it. */
  private sizeOf(name: string, inputs: readonly SymbolicInput[]): string {
    const { out } = this;
    const source = inputs.find(
      ({ shape, data }) => data === undefined && shape.includes(name),
    ) as SymbolicInput;
    const shape = out.op('Shape', [source.name]);
    return out.op('Gather', [shape, out.scalar(source.shape.indexOf(name), 'int64')]);
  }

  private node(a: Node, b: Node): void {
    const plain = (attributes: { readonly [name: string]: Attribute }): string => {
      if (Object.values(attributes).some((value) => value instanceof Graph))
        throw new Error(`${a.type} has a loop of its own, which has no form for every size`);
      return JSON.stringify(attributes);
    };
    if (a.type !== b.type || plain(a.attributes) !== plain(b.attributes))
      throw new Error(`other operations for other sizes: ${a.type} and ${b.type}`);
    const inputs = a.inputs.map((name, i) => (name === '' ? '' : this.value(name, b.inputs[i] as string)));
    const made = this.out.opN(a.type, inputs, a.attributes, a.outputs.length, a.domain);
    a.outputs.forEach((name, i) => this.computed.set(name, made[i] as string));
  }

  /** A value's name in the merged graph; constants are made there when they are met. */
  private value(a: string, b: string): string {
    const [left, right] = [this.constants[0].get(a), this.constants[1].get(b)];
    if (left === undefined && right === undefined) return this.computed.get(a) ?? a;
    if (left === undefined || right === undefined) throw new Error('other operations for other sizes');
    const key = `${a} ${b}`;
    const known = this.merged.get(key);
    if (known !== undefined) return known;
    const made = this.constant(left, right);
    this.merged.set(key, made);
    return made;
  }

  private constant(a: Initializer, b: Initializer): string {
    const { out } = this;
    const same = a.shape.join() === b.shape.join();
    const [left, right] = [numbers(a), numbers(b)];
    const equal = left.length === right.length && left.every((value, i) => Object.is(value, right[i]));
    if (same && equal) return out.constant(a.type, a.shape, left);
    if (same && a.shape.length === 0) {
      const scalar = this.product(left[0] as number, right[0] as number);
      return a.type === 'int64' ? scalar : out.op('Cast', [scalar], { to: ELEMENT_TYPES[a.type] });
    }
    if (same && a.shape.length === 1 && a.type === 'int64') return this.vector(left, right);
    if (left[0] === right[0] && [...left, ...right].every((value) => value === left[0])) {
      const value = out.constant(a.type, [], [left[0] as number]);
      return out.op('Expand', [value, this.vector(a.shape, b.shape)]);
    }
    if (
      a.shape.length === 1 &&
      left.every((value, i) => value === i) &&
      right.every((value, i) => value === i)
    ) {
      const count = this.product(left.length, right.length);
      const range = out.op('Range', [out.scalar(0, 'int64'), count, out.scalar(1, 'int64')]);
      return a.type === 'int64' ? range : out.op('Cast', [range], { to: ELEMENT_TYPES[a.type] });
    }
    throw new Error(
      `a constant of shape [${a.shape.join(', ')}] depends on the sizes in a way that has no form for every size`,
    );
  }

  /** A vector of int64 whose elements are products of sizes. */
  private vector(left: readonly number[], right: readonly number[]): string {
    const { out } = this;
    const parts = left.map((value, i) => {
      if (value === right[i]) return out.int64([value]);
      return out.op('Reshape', [this.product(value, right[i] as number), out.int64([1])]);
    });
    return parts.length === 1 ? (parts[0] as string) : out.op('Concat', parts, { axis: 0 });
  }

  /** An int64 scalar: a number times sizes. */
  private product(left: number, right: number): string {
    const { out } = this;
    const { factor, sizes } = this.solved(left, right);
    const factors = [
      ...(factor === 1 ? [] : [out.scalar(factor, 'int64')]),
      ...sizes.map((name) => this.sizeNames.get(name) as string),
    ];
    return factors.reduce((product, one) => out.op('Mul', [product, one]));
  }

  /** A size of an output: a number, a name, or names and numbers times each other. */
  private dimension(left: number, right: number): Dim {
    if (left === right) return left;
    const { factor, sizes } = this.solved(left, right);
    return [...(factor === 1 ? [] : [String(factor)]), ...sizes].join('*');
  }

  private solved(left: number, right: number): Monomial {
    const found = monomial(left, right, this.first, this.second);
    if (found !== undefined) return found;
    throw new Error(`a number that is ${left} for some sizes and ${right} for others is no product of sizes`);
  }
}

/** Values of a stored constant. */
function numbers({ type, data }: Initializer): number[] {
  if (!(data instanceof Uint8Array)) throw new Error('constants beside the model');
  const bytes = data.slice().buffer;
  const read: { readonly [type in ElementType]?: () => number[] } = {
    float32: () => [...new Float32Array(bytes)],
    int32: () => [...new Int32Array(bytes)],
    int64: () => [...new BigInt64Array(bytes)].map(Number),
    bool: () => [...data],
  };
  const values = read[type];
  if (values === undefined) throw new Error(`a constant of type ${type}`);
  return values();
}
