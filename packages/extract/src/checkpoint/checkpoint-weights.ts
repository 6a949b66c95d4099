import { UserError, UserErrors } from '@lsgmer/datasets';
import type { WantedTensor, WeightSource } from '../encoders/weight-source.ts';
import type { BuiltConfig } from '../models/model-config.ts';
import type { Checkpoint } from './checkpoint.ts';
import { type StoredTensor, isRowMajor, readFloats } from './stored-tensor.ts';
import { encoderName, isWithoutInfluence } from './tensor-names.ts';
import { weightNorm } from './weight-norm.ts';

/** A checkpoint's tensors under the names of the encoder's own state dict. */
export class CheckpointWeights implements WeightSource {
  private readonly tensors = new Map<string, StoredTensor>();
  private readonly type: BuiltConfig['model_type'];
  private readonly origin: string;

  /**
   * @param rename from a foreign naming to Hugging Face's
   * @throws UserError when two tensors come to have one name
   */
  constructor(
    checkpoint: Checkpoint,
    type: BuiltConfig['model_type'],
    rename: (name: string) => string = (name) => name,
  ) {
    this.type = type;
    this.origin = checkpoint.files.join(', ');
    for (const tensor of checkpoint.tensors.values()) {
      const name = encoderName(rename(tensor.name), type);
      const other = this.tensors.get(name);
      if (other !== undefined)
        throw new UserError(`${this.origin}: ${other.name} and ${tensor.name} are one tensor of a ${type}`);
      this.tensors.set(name, tensor);
    }
  }

  /**
   * Compares the checkpoint with what the graph is made of: every problem is named, and none is passed over, since
   * an encoder with a random or a forgotten part gives features that look like any other.
   * @returns names of tensors that are not used and known to have no influence, as the checkpoint has them
   * @throws UserErrors
   */
  check(wanted: readonly WantedTensor['sources'][number][]): string[] {
    const problems: string[] = [];
    const used = new Set<string>();
    for (const { name, shape } of wanted) {
      const parts = this.partsOf(name);
      if (parts === undefined) {
        problems.push(
          `${this.origin} lacks ${name} [${shape.join(', ')}], which a ${this.type} of this configuration needs`,
        );
        continue;
      }
      for (const part of parts) used.add(part);
      const found = this.tensors.get(parts.at(-1) as string) as StoredTensor;
      if (found.shape.join() !== shape.join()) {
        problems.push(
          `${this.origin}: ${found.name} has shape [${found.shape.join(', ')}], expected [${shape.join(', ')}] by config.json`,
        );
      }
    }
    const ignored: string[] = [];
    for (const [name, tensor] of this.tensors) {
      if (used.has(name)) continue;
      if (isWithoutInfluence(name, this.type)) ignored.push(tensor.name);
      else
        problems.push(
          `${this.origin} holds ${tensor.name}, which a ${this.type} of this configuration does not use`,
        );
    }
    if (problems.length > 0) throw new UserErrors(shortened(problems));
    return ignored.sort();
  }

  tensor(name: string, shape: readonly number[]): Float32Array {
    const parts = this.partsOf(name);
    if (parts === undefined) throw new UserError(`${this.origin} lacks ${name} [${shape.join(', ')}]`);
    const [first, second] = parts.map((part) => this.tensors.get(part) as StoredTensor);
    if (second === undefined) return readFloats(first as StoredTensor);
    return weightNorm(
      readFloats(first as StoredTensor),
      (first as StoredTensor).shape,
      readFloats(second),
      shape,
    );
  }

  /** Where a tensor lies as a graph can use it, untouched: float32, row-major, on a border of four bytes. */
  inPlace(name: string): StoredTensor | undefined {
    const tensor = this.tensors.get(name);
    const fits = tensor?.kind === 'F32' && isRowMajor(tensor) && tensor.offset % 4 === 0;
    return fits ? tensor : undefined;
  }

  /** The tensor itself, or the gain and direction that its weight norm is made of. */
  private partsOf(name: string): string[] | undefined {
    if (this.tensors.has(name)) return [name];
    const parts = [`${name}_g`, `${name}_v`];
    return parts.every((part) => this.tensors.has(part)) ? parts : undefined;
  }
}

/** Of another model nearly every tensor is wrong: the first ones tell as much as all. */
const SHOWN = 12;

function shortened(problems: readonly string[]): string[] {
  if (problems.length <= SHOWN) return [...problems];
  return [
    ...problems.slice(0, SHOWN),
    `... and ${problems.length - SHOWN} more of the kind: is config.json that of another model?`,
  ];
}
