import { readSafetensorsTensors } from './safetensors.ts';
import type { StoredTensor } from './stored-tensor.ts';
import { readTorchCheckpoint } from './torch-checkpoint.ts';
import type { PickleValue } from './unpickle.ts';
import { UserError } from '@lsgmer/datasets';

/** The tensors of a checkpoint's files, by name. */
export interface Checkpoint {
  readonly files: readonly string[];
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Settings that lie beside the tensors in some torch checkpoints. */
  readonly settings?: ReadonlyMap<PickleValue, PickleValue>;
}

/**
 * Reads where all tensors of a checkpoint lie.
 * @param files absolute paths: one file, or the parts of one checkpoint; safetensors, or torch's
 * @throws UserError when a file is damaged, is no checkpoint, or two of them hold one name
 */
export async function openCheckpoint(files: readonly string[]): Promise<Checkpoint> {
  const tensors = new Map<string, StoredTensor>();
  let settings: ReadonlyMap<PickleValue, PickleValue> | undefined;
  for (const file of files) {
    let found: StoredTensor[];
    if (file.endsWith('.safetensors')) found = readSafetensorsTensors(file);
    else {
      const torch = await readTorchCheckpoint(file);
      found = torch.tensors;
      settings = torch.settings;
    }
    for (const tensor of found) {
      const other = tensors.get(tensor.name);
      if (other !== undefined) throw new UserError(`${tensor.name} is both in ${other.file} and in ${file}`);
      tensors.set(tensor.name, tensor);
    }
  }
  return { files, tensors, ...(settings === undefined ? {} : { settings }) };
}
