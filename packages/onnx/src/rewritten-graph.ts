import type { FileNode, FileTensor, ModelFile } from './model-file.ts';
import { fileTensor, integerAttribute, integersAttribute } from './model-file.ts';

/** Nodes and tensors of a graph that a pass writes anew, and the constants that it needs, each stored once. */
export class RewrittenGraph {
  readonly nodes: FileNode[] = [];
  readonly tensors: FileTensor[] = [];
  readonly model: ModelFile;
  private readonly prefix: string;
  private readonly flattened = new Map<string, string>();
  private readonly constants = new Map<string, string>();

  /** @param prefix of the names of new values */
  constructor(model: ModelFile, prefix: string) {
    this.model = model;
    this.prefix = prefix;
  }

  op(
    type: string,
    inputs: readonly string[],
    attributes: readonly Uint8Array[] = [],
    domain = '',
    output = this.model.fresh(`${this.prefix}_${type}_${this.nodes.length}`),
  ): string {
    this.nodes.push({ type, domain, inputs, outputs: [output], attributes });
    return output;
  }

  /** [..., width] -> [rows, width], one node for each value. */
  rows(x: string, width: number): string {
    const known = this.flattened.get(x);
    if (known !== undefined) return known;
    const made = this.op('Reshape', [x, this.int64([-1, width])]);
    this.flattened.set(x, made);
    return made;
  }

  /** Over these axes, which go. From operator set 18 on, axes are an input. */
  reduced(type: 'ReduceMax' | 'ReduceMin' | 'ReduceMean', x: string, axes: readonly number[]): string {
    const drop = integerAttribute('keepdims', 0);
    return this.model.opset < 18
      ? this.op(type, [x], [integersAttribute('axes', axes), drop])
      : this.op(type, [x, this.int64(axes)], [drop]);
  }

  /** A constant float32 matrix, made once for each name. */
  floats(name: string, shape: readonly number[], make: () => Float32Array): string {
    const known = this.constants.get(name);
    return known ?? this.constant(name, 'float32', make(), shape);
  }

  scalar(value: number): string {
    return this.constant(`scalar_${value}`, 'float32', Float32Array.of(value), []);
  }

  /** A 0-dimensional int64 constant. */
  whole(value: number): string {
    return this.constant(`whole_${value}`, 'int64', BigInt64Array.of(BigInt(value)), []);
  }

  /** A 1-dimensional int64 constant. */
  int64(values: readonly number[]): string {
    return this.constant(`int64_${values.join('_')}`, 'int64', BigInt64Array.from(values.map(BigInt)), [
      values.length,
    ]);
  }

  protected constant(
    name: string,
    type: 'float32' | 'uint8' | 'int64',
    data: Float32Array | Uint8Array | BigInt64Array,
    shape: readonly number[],
  ): string {
    const known = this.constants.get(name);
    if (known !== undefined) return known;
    const made = this.model.fresh(`${this.prefix}_${name}`);
    this.tensors.push(fileTensor(made, type, shape, data));
    this.constants.set(name, made);
    return made;
  }
}
