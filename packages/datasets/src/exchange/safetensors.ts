import { closeSync, fstatSync, openSync } from 'node:fs';
import {
  readSafetensorsHeader,
  type SafetensorsEntry,
  SafetensorsError,
} from '../base/safetensors-header.ts';
import { readExactly } from '../store/positional-read.ts';
import { decodeElements, elementCount, type ElementType } from './element-type.ts';
import { ForeignArrayError, type ForeignSource } from './foreign-array.ts';
import { type ForeignFile, problemOf } from './foreign-files.ts';
import type { Columns } from './table-columns.ts';

/** Types of elements, by their names in safetensors files. */
const TYPES: { readonly [name: string]: ElementType } = {
  F16: 'float16',
  BF16: 'bfloat16',
  F32: 'float32',
  F64: 'float64',
  I8: 'int8',
  U8: 'uint8',
  I16: 'int16',
  U16: 'uint16',
  I32: 'int32',
  U32: 'uint32',
  I64: 'int64',
  U64: 'uint64',
  BOOL: 'bool',
};

/** Files with a tensor for each utterance, or a file for each. */
export function safetensorsFiles(files: readonly ForeignFile[], { column }: Columns): ForeignSource {
  let count: number | null = 0;
  for (const { path } of files) {
    try {
      if (count !== null) count += withFile(path, (fd) => readHeader(fd).length);
    } catch {
      count = null; // said where the file is read
    }
  }
  return {
    format: '.safetensors',
    count,
    async *arrays(wanted = () => true) {
      for (const { path, stem } of files) {
        let fd: number | undefined;
        try {
          fd = openSync(path, 'r');
          for (const entry of readHeader(fd)) {
            const names = [`${stem}/${entry.name}`, stem];
            const place = `${path}[${entry.name}]`;
            if ((column !== undefined && entry.name !== column) || !wanted(names)) continue;
            try {
              yield { names, place, shape: entry.shape, values: readTensor(fd, entry) };
            } catch (error) {
              yield problemOf(error, place);
            }
          }
        } catch (error) {
          yield problemOf(error, path);
        } finally {
          if (fd !== undefined) closeSync(fd);
        }
      }
    },
  };
}

function withFile<T>(path: string, work: (fd: number) => T): T {
  const fd = openSync(path, 'r');
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
}

function readHeader(fd: number): readonly SafetensorsEntry[] {
  const read = (position: number, length: number): Uint8Array => {
    const bytes = new Uint8Array(length);
    readExactly(fd, bytes, 0, length, position);
    return bytes;
  };
  try {
    return readSafetensorsHeader(read, fstatSync(fd).size).entries;
  } catch (error) {
    if (error instanceof SafetensorsError) throw new ForeignArrayError(error.message);
    throw error;
  }
}

function readTensor(fd: number, { dtype, shape, start, end }: SafetensorsEntry): Float32Array {
  const type = TYPES[dtype];
  if (type === undefined)
    throw new ForeignArrayError(`its type is ${dtype}, expected one of ${Object.keys(TYPES).join(', ')}`);
  const bytes = new Uint8Array(end - start);
  if (!readExactly(fd, bytes, 0, bytes.length, start))
    throw new ForeignArrayError('the file ends before its last value');
  return decodeElements(bytes, type, elementCount(shape));
}
