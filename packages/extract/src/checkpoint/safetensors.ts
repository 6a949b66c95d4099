import { statSync } from 'node:fs';
import { readSafetensorsHeader, SafetensorsError, UserError } from '@lsgmer/datasets';
import { ELEMENT_SIZES, type ElementKind, readBytes, type StoredTensor } from './stored-tensor.ts';

/**
 * Where the tensors of a safetensors file lie. Reads the header only.
 * @throws UserError when the file is no safetensors file, is cut off, or holds a type that no weights come in
 */
export function readSafetensorsTensors(file: string): StoredTensor[] {
  const read = (position: number, length: number): Uint8Array =>
    readBytes(file, position, length, 'the header');
  try {
    const { entries } = readSafetensorsHeader(read, statSync(file).size);
    return entries.map(({ name, dtype, shape, start }) => {
      if (!(dtype in ELEMENT_SIZES)) {
        throw new UserError(`${file}: ${name} is ${dtype}: expected F32, F16, BF16 or F64`);
      }
      return { name, kind: dtype as ElementKind, shape, file, offset: start };
    });
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    throw new UserError(`${file}: ${error.message}; fetch it again`);
  }
}
