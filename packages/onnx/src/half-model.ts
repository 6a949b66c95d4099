import { ELEMENT_TYPES } from './element-type.ts';
import {
  type FileNode,
  type FileTensor,
  type ModelFile,
  changeTensors,
  fileTensor,
  integerAttribute,
  numberAttribute,
} from './model-file.ts';

/** Largest finite float16: what is beyond (the lowest float32 that stands for a masked key) becomes it. */
const LARGEST_HALF = 65_504;

/**
 * Turns, in place, a float32 model into one that computes in float16 and takes and gives float32 as before.
 * @param toHalf bits of float16 values, rounded to the nearest; all values lie within its range
 */
export function halvePrecision(model: ModelFile, toHalf: (values: Float32Array) => Uint16Array): void {
  const half = (tensor: FileTensor): FileTensor => {
    if (tensor.type !== ELEMENT_TYPES.float32) return tensor;
    const values = model
      .floats(tensor)
      .map((value) => Math.min(LARGEST_HALF, Math.max(-LARGEST_HALF, value)));
    return fileTensor(tensor.name, 'float16', tensor.shape, toHalf(values));
  };
  model.initializers = model.initializers.map(half);
  const stored = new Set(model.initializers.map(({ name }) => name));
  const renamed = new Map<string, string>();
  const before: FileNode[] = [];
  const after: FileNode[] = [];
  for (const { name, type } of model.inputs) {
    if (type !== ELEMENT_TYPES.float32 || stored.has(name)) continue;
    const inside = model.fresh(`${name}_half`);
    renamed.set(name, inside);
    before.push(cast(name, inside, ELEMENT_TYPES.float16));
  }
  for (const { name, type } of model.outputs) {
    if (type !== ELEMENT_TYPES.float32) continue;
    const inside = model.fresh(`${name}_half`);
    renamed.set(name, inside);
    after.push(cast(inside, name, ELEMENT_TYPES.float32));
  }
  const rename = (name: string): string => renamed.get(name) ?? name;
  const nodes = model.nodes.map((node): FileNode => {
    const changed = changeTensors(node, half);
    const toFloat = node.type === 'Cast' && numberAttribute(node, 'to') === ELEMENT_TYPES.float32;
    return {
      ...changed,
      inputs: node.inputs.map(rename),
      outputs: node.outputs.map(rename),
      attributes: toFloat ? [integerAttribute('to', ELEMENT_TYPES.float16)] : changed.attributes,
    };
  });
  model.nodes = [...before, ...nodes, ...after];
}

function cast(from: string, to: string, type: number): FileNode {
  return {
    type: 'Cast',
    domain: '',
    inputs: [from],
    outputs: [to],
    attributes: [integerAttribute('to', type)],
  };
}
