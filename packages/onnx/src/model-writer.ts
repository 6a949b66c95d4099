import { open } from 'node:fs/promises';
import {
  type Attribute,
  Float,
  Floats,
  Graph,
  type Initializer,
  type Node,
  type ValueInfo,
} from './graph.ts';
import { ELEMENT_TYPES } from './element-type.ts';
import { ProtoWriter } from './proto.ts';

/** ONNX 1.12: IR version 8, operator set 17. onnxruntime's own operators are version 1 of their domain. */
const IR_VERSION = 8;
const OPSETS = [
  ['', 17],
  ['com.microsoft', 1],
] as const;

/** Protobuf messages end at 2 GiB; larger weights go into external data. */
const LARGEST_MODEL = 2 ** 31 - 1;

/** AttributeProto.AttributeType */
const KIND = { float: 1, int: 2, string: 3, graph: 5, floats: 6, ints: 7, strings: 8 } as const;

/**
 * Encodes a model (onnx.proto, ModelProto) as consecutive parts; weights are parts of their own, not copied.
 * @throws when the model passes protobuf's limit of 2 GiB
 */
export function modelChunks(graph: Graph): Uint8Array[] {
  const model = new ProtoWriter().int(1, IR_VERSION).string(2, 'lsgmer').message(7, graphProto(graph));
  for (const [domain, version] of OPSETS) {
    model.message(8, new ProtoWriter().string(1, domain).int(2, version));
  }
  if (model.size > LARGEST_MODEL) {
    throw new Error(
      `model ${graph.name} has ${model.size} bytes, ONNX files end at 2 GiB: use external data`,
    );
  }
  return model.chunks();
}

/** The model as one array, ready for a session. Copies the weights once. */
export function modelBytes(graph: Graph): Uint8Array {
  const chunks = modelChunks(graph);
  let size = 0;
  for (const chunk of chunks) size += chunk.length;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Writes the model to a new file (or over an old one) part by part and syncs it; returns its size in bytes. */
export async function writeModel(graph: Graph, path: string): Promise<number> {
  const chunks = modelChunks(graph);
  const file = await open(path, 'w');
  try {
    let size = 0;
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length;) at += (await file.write(chunk, at)).bytesWritten;
      size += chunk.length;
    }
    await file.sync();
    return size;
  } finally {
    await file.close();
  }
}

function graphProto(graph: Graph): ProtoWriter {
  const proto = new ProtoWriter();
  for (const node of graph.nodes) proto.message(1, nodeProto(node));
  proto.string(2, graph.name);
  for (const tensor of graph.initializers) proto.message(5, tensorProto(tensor));
  for (const input of graph.inputs) proto.message(11, valueProto(input));
  for (const output of graph.outputs) proto.message(12, valueProto(output));
  return proto;
}

function nodeProto(node: Node): ProtoWriter {
  const proto = new ProtoWriter();
  for (const input of node.inputs) proto.string(1, input);
  for (const output of node.outputs) proto.string(2, output);
  // Profiles and error messages name the node: its first output says which one it is.
  proto.string(3, node.outputs.find((output) => output !== '') ?? node.type).string(4, node.type);
  for (const [name, value] of Object.entries(node.attributes)) {
    proto.message(5, attributeProto(name, value, node));
  }
  return node.domain === '' ? proto : proto.string(7, node.domain);
}

function attributeProto(name: string, value: Attribute, node: Node): ProtoWriter {
  const proto = new ProtoWriter().string(1, name);
  if (value instanceof Graph) return proto.message(6, graphProto(value)).int(20, KIND.graph);
  if (value instanceof Float) return proto.float(2, value.value).int(20, KIND.float);
  if (value instanceof Floats) {
    for (const item of value.values) proto.float(7, item);
    return proto.int(20, KIND.floats);
  }
  if (typeof value === 'string') return proto.string(4, value).int(20, KIND.string);
  if (typeof value === 'number') {
    if (!Number.isInteger(value)) {
      throw new Error(`attribute ${name} of ${node.type} is ${value}: mark floats with float()`);
    }
    return proto.int(3, value).int(20, KIND.int);
  }
  if (value.length > 0 && typeof value[0] === 'string') {
    for (const item of value as readonly string[]) proto.string(9, item);
    return proto.int(20, KIND.strings);
  }
  for (const item of value as readonly number[]) proto.int(8, item);
  return proto.int(20, KIND.ints);
}

function tensorProto(tensor: Initializer): ProtoWriter {
  const proto = new ProtoWriter();
  for (const dim of tensor.shape) proto.int(1, dim);
  proto.int(2, ELEMENT_TYPES[tensor.type]).string(8, tensor.name);
  if (tensor.data instanceof Uint8Array) return proto.bytes(9, tensor.data);
  const { location, offset, length } = tensor.data;
  for (const [key, value] of Object.entries({ location, offset, length })) {
    proto.message(13, new ProtoWriter().string(1, key).string(2, String(value)));
  }
  return proto.int(14, 1); // DataLocation.EXTERNAL
}

function valueProto(value: ValueInfo): ProtoWriter {
  const shape = new ProtoWriter();
  for (const dim of value.shape) {
    const proto = new ProtoWriter();
    shape.message(1, typeof dim === 'number' ? proto.int(1, dim) : proto.string(2, dim));
  }
  const tensor = new ProtoWriter().int(1, ELEMENT_TYPES[value.type]).message(2, shape);
  return new ProtoWriter().string(1, value.name).message(2, new ProtoWriter().message(1, tensor));
}
