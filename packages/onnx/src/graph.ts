import {
  type ElementType,
  type TensorData,
  elementCount,
  tensorBytes,
  ELEMENT_BYTES,
} from './element-type.ts';

/** A dimension: a number, or the name of a symbolic one that is fixed only when the model runs. */
export type Dim = number | string;

/** Domain of onnxruntime's own operators (FusedMatMul, Gelu, MatMulNBits, ...). */
export const MICROSOFT = 'com.microsoft';

export interface ValueInfo {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly Dim[];
}

/** Bytes of a tensor that lies in a file in the model's own folder. */
export interface ExternalData {
  /** File name relative to the folder of the model file (onnxruntime refuses other folders and links). */
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

export interface Initializer {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data: Uint8Array | ExternalData;
}

/** A float attribute: plain numbers stand for integers, since 1 and 1.0 are one value in JavaScript. */
export class Float {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** A list of floats as an attribute. */
export class Floats {
  readonly values: readonly number[];
  constructor(values: readonly number[]) {
    this.values = values;
  }
}

/** Marks an attribute's number as a float: `graph.op('Elu', [x], { alpha: float(1) })`. */
export function float(value: number): Float {
  return new Float(value);
}

/** Marks an attribute's numbers as floats. */
export function floats(values: readonly number[]): Floats {
  return new Floats(values);
}

/** Integer, float, string, list of integers, list of floats, list of strings, or subgraph. */
export type Attribute = number | Float | string | readonly number[] | Floats | readonly string[] | Graph;

export type Attributes = { readonly [name: string]: Attribute };

export interface Node {
  readonly type: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

/**
 * An ONNX graph under construction. Values are named by strings; each method that makes a value returns its
 * name. A name can be given once only, in the graph and all its subgraphs: onnxruntime accepts an input that
 * shares the name of a constant silently, and computes something else.
 */
export class Graph {
  readonly name: string;
  readonly inputs: ValueInfo[] = [];
  readonly outputs: ValueInfo[] = [];
  readonly initializers: Initializer[] = [];
  readonly nodes: Node[] = [];
  private readonly parent: Graph | undefined;
  private readonly root: Graph;
  /** Values visible in this graph, without those of the graphs around it. */
  private readonly values = new Set<string>();
  // Only the root's are used:
  private readonly taken = new Set<string>();
  private readonly constants = new Map<string, string>();
  private readonly counters = new Map<string, number>();

  constructor(name = 'graph', parent?: Graph) {
    this.name = name;
    this.parent = parent;
    this.root = parent === undefined ? this : parent.root;
  }

  /**
   * Declares an input.
   * @throws when the name is taken
   */
  input(name: string, type: ElementType, shape: readonly Dim[]): string {
    this.define(name);
    this.inputs.push({ name, type, shape });
    return name;
  }

  /**
   * Declares a value as an output. Where `name` is given and is not the value's own name, an Identity node gives
   * the value that name.
   * @throws when the value is unknown, or is an output already
   */
  output(value: string, type: ElementType, shape: readonly Dim[], name = value): string {
    this.requireValue(value, `output ${name}`);
    if (this.outputs.some((output) => output.name === name)) {
      throw new Error(`graph ${this.name}: output ${name} is declared twice`);
    }
    if (name !== value) this.op('Identity', [value], {}, name);
    this.outputs.push({ name, type, shape });
    return name;
  }

  /**
   * A tensor stored in the model (or beside it, as `ExternalData`). Typed arrays are referenced, not copied:
   * they must not change until the model is written. float16 values are given as bits in a Uint16Array.
   * @throws when the name is taken, or when shape and data do not agree
   */
  initializer(
    name: string,
    type: ElementType,
    shape: readonly number[],
    data: TensorData | ExternalData,
  ): string {
    const stored = 'location' in data ? data : tensorBytes(type, data);
    const expected = elementCount(shape) * ELEMENT_BYTES[type];
    const found = 'location' in stored ? stored.length : stored.byteLength;
    if (found !== expected) {
      throw new Error(
        `initializer ${name}: ${found} bytes of data, but ${type} [${shape.join(',')}] has ${expected}`,
      );
    }
    this.define(name);
    this.initializers.push({ name, type, shape: [...shape], data: stored });
    return name;
  }

  /** A constant without a name of its own; equal small constants are stored once, in the outermost graph. */
  constant(type: ElementType, shape: readonly number[], data: TensorData): string {
    const bytes = tensorBytes(type, data);
    if (bytes.length > 256) return this.root.initializer(this.fresh('constant'), type, shape, data);
    const key = `${type} ${shape.join(',')} ${bytes.join(',')}`;
    const known = this.root.constants.get(key);
    if (known !== undefined) return known;
    const name = this.root.initializer(this.fresh('constant'), type, shape, data);
    this.root.constants.set(key, name);
    return name;
  }

  /** A 0-dimensional constant. */
  scalar(value: number, type: Exclude<ElementType, 'float16'> = 'float32'): string {
    return this.constant(type, [], [value]);
  }

  /** A 1-dimensional int64 constant, as shapes, axes and bounds are given. */
  int64(values: readonly number[]): string {
    return this.constant('int64', [values.length], values);
  }

  /**
   * Appends a node with one output and returns the output's name. An input that is left out is ''.
   * @throws when an input is unknown or the output's name is taken
   */
  op(
    type: string,
    inputs: readonly string[],
    attributes: Attributes = {},
    output?: string,
    domain = '',
  ): string {
    return this.opN(type, inputs, attributes, output === undefined ? 1 : [output], domain)[0] as string;
  }

  /** As `op`, with several outputs: how many, or their names ('' for one that is not wanted). */
  opN(
    type: string,
    inputs: readonly string[],
    attributes: Attributes,
    outputs: number | readonly string[],
    domain = '',
  ): string[] {
    for (const input of inputs) if (input !== '') this.requireValue(input, `node ${type}`);
    const names =
      typeof outputs === 'number' ? Array.from({ length: outputs }, () => this.fresh(type)) : [...outputs];
    for (const name of names) if (name !== '') this.define(name);
    this.nodes.push({ type, domain, inputs: [...inputs], outputs: names, attributes });
    return names;
  }

  /** A graph for an attribute (Scan, Loop, If): it sees every value defined here up to now. */
  subgraph(name = 'body'): Graph {
    return new Graph(name, this);
  }

  /** A name that nothing has yet. */
  fresh(prefix: string): string {
    const { counters, taken } = this.root;
    let name: string;
    do {
      const n = counters.get(prefix) ?? 0;
      counters.set(prefix, n + 1);
      name = `${prefix}_${n}`;
    } while (taken.has(name));
    return name;
  }

  /** Whether a value of that name can be used here. */
  has(name: string): boolean {
    return this.values.has(name) || (this.parent?.has(name) ?? false);
  }

  /** Whether a node of this very graph, not one around it, makes the value. */
  computes(name: string): boolean {
    return this.nodes.some((node) => node.outputs.includes(name));
  }

  private define(name: string): void {
    if (name === '') throw new Error(`graph ${this.name}: a value needs a name`);
    if (this.root.taken.has(name)) {
      throw new Error(`graph ${this.name}: the name ${name} is given twice; names must be unique`);
    }
    this.root.taken.add(name);
    this.values.add(name);
  }

  private requireValue(name: string, where: string): void {
    if (!this.has(name)) throw new Error(`graph ${this.name}: ${where} uses ${name}, which is not defined`);
  }
}
