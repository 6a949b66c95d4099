import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ElementType, ELEMENT_TYPES } from './element-type.ts';
import { ProtoWriter } from './proto.ts';
import { type ProtoField, bytesOf, integersOf, readFields, stringsOf, writeFields } from './proto-reader.ts';

/** Fields of onnx.proto that passes look at. */
const MODEL = { graph: 7, opsets: 8 } as const;
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, valueInfo: 13 } as const;
const NODE = { input: 1, output: 2, name: 3, type: 4, attribute: 5, domain: 7 } as const;
const ATTRIBUTE = { name: 1, float: 2, int: 3, text: 4, tensor: 5, graph: 6, ints: 8 } as const;
const TENSOR = { dims: 1, type: 2, floats: 4, name: 8, raw: 9, external: 13, location: 14 } as const;

/** Protobuf messages end at 2 GiB. */
const LARGEST_MODEL = 2 ** 31 - 1;

/** One node; attributes stay encoded until they are asked for. */
export interface FileNode {
  readonly type: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Encoded AttributeProto messages. */
  readonly attributes: readonly Uint8Array[];
}

/** One stored tensor, still encoded. */
export interface FileTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Number in TensorProto.DataType. */
  readonly type: number;
  /** The whole TensorProto. */
  readonly encoded: Uint8Array;
}

/** A declared input or output. */
export interface FileValue {
  readonly name: string;
  /** Number in TensorProto.DataType; 0 for what is no tensor. */
  readonly type: number;
  readonly encoded: Uint8Array;
}

/**
 * An ONNX file, whoever wrote it, taken apart as far as a pass over its nodes and weights needs; all else is kept byte
 * by byte. Weights beside the file (external data) are read when they are asked for and stay where they are otherwise.
 */
export class ModelFile {
  nodes: FileNode[];
  initializers: FileTensor[];
  inputs: FileValue[];
  outputs: FileValue[];
  /** Version of the standard operators. */
  readonly opset: number;
  private readonly folder: string;
  private readonly model: readonly ProtoField[];
  private readonly graph: readonly ProtoField[];
  private readonly domains: Set<string>;
  private readonly taken: Set<string>;

  private constructor(bytes: Uint8Array, folder: string) {
    this.folder = folder;
    const fields = readFields(bytes);
    const graph = bytesOf(fields, MODEL.graph)[0];
    if (graph === undefined) throw new Error('it holds no graph');
    const parts = readFields(graph);
    this.model = fields.filter(({ field }) => field !== MODEL.graph);
    const apart: readonly number[] = Object.values(GRAPH);
    this.graph = parts.filter(({ field }) => !apart.includes(field));
    this.nodes = bytesOf(parts, GRAPH.node).map(readNode);
    this.initializers = bytesOf(parts, GRAPH.initializer).map(readTensor);
    this.inputs = bytesOf(parts, GRAPH.input).map(readValue);
    this.outputs = bytesOf(parts, GRAPH.output).map(readValue);
    const opsets = bytesOf(fields, MODEL.opsets).map((one) => readFields(one));
    const versions = opsets.map(
      (one) => [stringsOf(one, 1)[0] ?? '', Number(integersOf(one, 2)[0] ?? 0n)] as const,
    );
    this.domains = new Set(versions.map(([domain]) => domain));
    this.opset = versions.find(([domain]) => domain === '' || domain === 'ai.onnx')?.[1] ?? 0;
    this.taken = new Set([...this.inputs, ...this.initializers].map(({ name }) => name));
    for (const { outputs } of this.nodes) for (const name of outputs) this.taken.add(name);
  }

  /**
   * @param folder where its external data lies
   * @throws Error when the bytes are no ONNX model
   */
  static parse(bytes: Uint8Array, folder = '.'): ModelFile {
    return new ModelFile(bytes, folder);
  }

  /** @throws Error that names the file when it is no ONNX model */
  static read(path: string): ModelFile {
    try {
      return new ModelFile(readFileSync(path), dirname(path));
    } catch (error) {
      throw new Error(`${path} is not an ONNX model that can be read (${(error as Error).message})`, {
        cause: error,
      });
    }
  }

  /** A name that nothing in the model has: `wanted`, or that with a number. */
  fresh(wanted: string): string {
    let name = wanted;
    for (let i = 1; this.taken.has(name); i++) name = `${wanted}_${i}`;
    this.taken.add(name);
    return name;
  }

  /** Declares that operators of another domain are used. */
  useDomain(domain: string): void {
    this.domains.add(domain);
  }

  /** The values of a float32 tensor. @throws Error for another type, or data that is not there */
  floats(tensor: FileTensor): Float32Array {
    if (tensor.type !== ELEMENT_TYPES.float32) throw new Error(`${tensor.name} is not of type float32`);
    const fields = readFields(tensor.encoded);
    const count = tensor.shape.reduce((product, dim) => product * dim, 1);
    const bytes = this.rawBytes(fields);
    if (bytes.byteLength !== 4 * count)
      throw new Error(`${tensor.name} has ${bytes.byteLength} bytes, expected ${4 * count}`);
    const values = new Float32Array(count);
    new Uint8Array(values.buffer).set(bytes);
    return values;
  }

  private rawBytes(fields: readonly ProtoField[]): Uint8Array {
    if (integersOf(fields, TENSOR.location)[0] === 1n) return this.externalBytes(fields);
    const raw = bytesOf(fields, TENSOR.raw)[0];
    if (raw !== undefined) return raw;
    const packed = bytesOf(fields, TENSOR.floats);
    if (packed.length > 0) return Buffer.concat(packed);
    const single = fields.flatMap(({ field, value }) =>
      field === TENSOR.floats && typeof value === 'object' && 'float' in value ? [value.float] : [],
    );
    return new Uint8Array(Float32Array.from(single).buffer);
  }

  /** Names of the files beside the model in which its weights lie. */
  externalFiles(): string[] {
    const names = this.initializers.map(({ encoded }) =>
      externalEntries(readFields(encoded)).get('location'),
    );
    return [...new Set(names.filter((name) => name !== undefined))].sort();
  }

  private externalBytes(fields: readonly ProtoField[]): Uint8Array {
    const entries = externalEntries(fields);
    const bytes = new Uint8Array(Number(entries.get('length') ?? 0));
    const file = openSync(join(this.folder, entries.get('location') ?? ''), 'r');
    try {
      const offset = Number(entries.get('offset') ?? 0);
      for (let at = 0; at < bytes.length;) {
        const read = readSync(file, bytes, at, bytes.length - at, offset + at);
        if (read === 0)
          throw new Error(`${entries.get('location') ?? ''} ends before byte ${offset + bytes.length}`);
        at += read;
      }
    } finally {
      closeSync(file);
    }
    return bytes;
  }

  /** Writes the model to a file in the same folder and syncs it. @throws Error beyond protobuf's 2 GiB */
  async write(path: string): Promise<void> {
    const graph = writeFields(this.graph);
    for (const node of this.nodes) graph.message(GRAPH.node, encodeNode(node));
    for (const { encoded } of this.initializers) graph.bytes(GRAPH.initializer, encoded);
    for (const { encoded } of this.inputs) graph.bytes(GRAPH.input, encoded);
    for (const { encoded } of this.outputs) graph.bytes(GRAPH.output, encoded);
    const model = writeFields(this.model).message(MODEL.graph, graph);
    const known = new Set(
      bytesOf(this.model, MODEL.opsets).map((one) => stringsOf(readFields(one), 1)[0] ?? ''),
    );
    for (const domain of this.domains)
      if (!known.has(domain)) model.message(MODEL.opsets, new ProtoWriter().string(1, domain).int(2, 1));
    if (model.size > LARGEST_MODEL)
      throw new Error(`the model has ${model.size} bytes, ONNX files end at 2 GiB`);
    const file = await open(path, 'w');
    try {
      for (const chunk of model.chunks())
        for (let at = 0; at < chunk.length;) at += (await file.write(chunk, at)).bytesWritten;
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

/** A tensor to be stored in the file itself. */
export function fileTensor(
  name: string,
  type: ElementType,
  shape: readonly number[],
  data: Uint8Array | Int8Array | Uint16Array | Float32Array | BigInt64Array,
): FileTensor {
  const proto = new ProtoWriter();
  for (const dim of shape) proto.int(TENSOR.dims, dim);
  proto.int(TENSOR.type, ELEMENT_TYPES[type]).string(TENSOR.name, name);
  proto.bytes(TENSOR.raw, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return { name, shape: [...shape], type: ELEMENT_TYPES[type], encoded: joined(proto) };
}

/** A float32 output of any shape. */
export function fileOutput(name: string): FileValue {
  const type = ELEMENT_TYPES.float32;
  const tensor = new ProtoWriter().message(1, new ProtoWriter().int(1, type));
  return { name, type, encoded: joined(new ProtoWriter().string(1, name).message(2, tensor)) };
}

/** An integer or float attribute of a node, or undefined where it has none of that name. */
export function numberAttribute(node: FileNode, name: string): number | undefined {
  const fields = attributeFields(node, name);
  if (fields === undefined) return undefined;
  const float = fields.find(({ field }) => field === ATTRIBUTE.float)?.value;
  if (typeof float === 'object' && 'float' in float) return float.float;
  return Number(integersOf(fields, ATTRIBUTE.int)[0] ?? 0n);
}

/** A text attribute of a node, or undefined where it has none of that name. */
export function textAttribute(node: FileNode, name: string): string | undefined {
  const fields = attributeFields(node, name);
  return fields === undefined ? undefined : stringsOf(fields, ATTRIBUTE.text)[0];
}

/** An attribute that is a list of integers, or undefined where the node has none of that name. */
export function integerList(node: FileNode, name: string): number[] | undefined {
  const fields = attributeFields(node, name);
  return fields === undefined ? undefined : integersOf(fields, ATTRIBUTE.ints).map(Number);
}

/** Whether an attribute is a graph of its own (If, Loop, Scan). */
export function holdsGraph(node: FileNode): boolean {
  return node.attributes.some((encoded) =>
    readFields(encoded).some(({ field }) => field === ATTRIBUTE.graph),
  );
}

function attributeFields(node: FileNode, name: string): ProtoField[] | undefined {
  return node.attributes
    .map((encoded) => readFields(encoded))
    .find((fields) => stringsOf(fields, ATTRIBUTE.name)[0] === name);
}

/** An encoded integer attribute. */
export function integerAttribute(name: string, value: number): Uint8Array {
  return joined(new ProtoWriter().string(ATTRIBUTE.name, name).int(ATTRIBUTE.int, value).int(20, 2));
}

/** An encoded list of integers as an attribute. */
export function integersAttribute(name: string, values: readonly number[]): Uint8Array {
  const proto = new ProtoWriter().string(ATTRIBUTE.name, name);
  for (const value of values) proto.int(8, value);
  return joined(proto.int(20, 7));
}

/**
 * The attributes with every tensor in them replaced by what `change` makes of it.
 * @throws Error for an attribute that is a graph of its own
 */
export function changeTensors(node: FileNode, change: (tensor: FileTensor) => FileTensor): FileNode {
  const attributes = node.attributes.map((encoded) => {
    const fields = readFields(encoded);
    if (fields.some(({ field }) => field === ATTRIBUTE.graph))
      throw new Error(`node ${node.type} holds a graph of its own, which is not converted`);
    if (!fields.some(({ field }) => field === ATTRIBUTE.tensor)) return encoded;
    return joined(
      writeFields(
        fields.map((one) =>
          one.field === ATTRIBUTE.tensor && one.value instanceof Uint8Array
            ? { field: one.field, value: change(readTensor(one.value)).encoded }
            : one,
        ),
      ),
    );
  });
  return { ...node, attributes };
}

/** Location, offset and length of a tensor that lies beside the file, as texts. */
function externalEntries(fields: readonly ProtoField[]): Map<string, string> {
  return new Map(
    bytesOf(fields, TENSOR.external).map((entry) => {
      const pair = readFields(entry);
      return [stringsOf(pair, 1)[0] ?? '', stringsOf(pair, 2)[0] ?? ''] as const;
    }),
  );
}

function readNode(bytes: Uint8Array): FileNode {
  const fields = readFields(bytes);
  return {
    type: stringsOf(fields, NODE.type)[0] ?? '',
    domain: stringsOf(fields, NODE.domain)[0] ?? '',
    inputs: stringsOf(fields, NODE.input),
    outputs: stringsOf(fields, NODE.output),
    attributes: bytesOf(fields, NODE.attribute),
  };
}

function encodeNode({ type, domain, inputs, outputs, attributes }: FileNode): ProtoWriter {
  const proto = new ProtoWriter();
  for (const input of inputs) proto.string(NODE.input, input);
  for (const output of outputs) proto.string(NODE.output, output);
  proto.string(NODE.name, outputs.find((output) => output !== '') ?? type).string(NODE.type, type);
  for (const attribute of attributes) proto.bytes(NODE.attribute, attribute);
  return domain === '' ? proto : proto.string(NODE.domain, domain);
}

function readTensor(encoded: Uint8Array): FileTensor {
  const fields = readFields(encoded);
  return {
    name: stringsOf(fields, TENSOR.name)[0] ?? '',
    shape: integersOf(fields, TENSOR.dims).map(Number),
    type: Number(integersOf(fields, TENSOR.type)[0] ?? 0n),
    encoded,
  };
}

function readValue(encoded: Uint8Array): FileValue {
  const fields = readFields(encoded);
  const type = bytesOf(fields, 2)[0];
  const tensor = type === undefined ? undefined : bytesOf(readFields(type), 1)[0];
  const element = tensor === undefined ? 0n : (integersOf(readFields(tensor), 1)[0] ?? 0n);
  return { name: stringsOf(fields, 1)[0] ?? '', type: Number(element), encoded };
}

function joined(proto: ProtoWriter): Uint8Array {
  return Buffer.concat(proto.chunks());
}
