import { closeSync, fstatSync, openSync } from 'node:fs';
import { readExactly } from '../store/positional-read.ts';
import { decodeElements, elementBytes, elementCount, type ElementType, shapeText } from './element-type.ts';
import { ForeignArrayError, type ForeignSource } from './foreign-array.ts';
import { type ForeignFile, problemOf } from './foreign-files.ts';
import type { Columns } from './table-columns.ts';

/**
 * The safetensors format: 8 bytes with the length of a JSON header, the header with type, shape and place of each
 * tensor, the tensors' bytes.
 */
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

/** The reference implementation refuses longer ones, too. */
const LONGEST_HEADER = 100_000_000;

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Bytes of the file. */
  readonly start: number;
  readonly end: number;
}

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

/** Tensors in the order of their bytes. */
function readHeader(fd: number): Entry[] {
  const { size } = fstatSync(fd);
  const prefix = new Uint8Array(8);
  if (!readExactly(fd, prefix, 0, 8, 0))
    throw new ForeignArrayError(`it is no safetensors file: ${size} bytes`);
  const length = Number(new DataView(prefix.buffer).getBigUint64(0, true));
  if (length > LONGEST_HEADER || 8 + length > size)
    throw new ForeignArrayError(
      `it is no safetensors file, or cut off: a header of ${length} bytes in ${size}`,
    );
  const text = new Uint8Array(length);
  readExactly(fd, text, 0, length, 8);
  let header: { [name: string]: { dtype?: unknown; shape?: unknown; data_offsets?: unknown } };
  try {
    header = JSON.parse(Buffer.from(text).toString('utf8')) as typeof header;
  } catch (error) {
    throw new ForeignArrayError(`its safetensors header is no JSON: ${(error as Error).message}`);
  }
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, { dtype, shape, data_offsets: offsets }]): Entry => {
      if (typeof dtype !== 'string' || !isCounts(shape) || !isCounts(offsets) || offsets.length !== 2)
        throw new ForeignArrayError(`its safetensors header is damaged at ${name}`);
      const [start, end] = offsets as [number, number];
      return { name, dtype, shape, start: 8 + length + start, end: 8 + length + end };
    });
  const last = Math.max(8 + length, ...entries.map(({ end }) => end));
  if (last > size)
    throw new ForeignArrayError(`it is cut off: ${size} bytes, its tensors end at byte ${last}`);
  return entries.sort((a, b) => a.start - b.start);
}

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((one) => Number.isInteger(one) && (one as number) >= 0);

function readTensor(fd: number, { dtype, shape, start, end }: Entry): Float32Array {
  const type = TYPES[dtype];
  if (type === undefined)
    throw new ForeignArrayError(`its type is ${dtype}, expected one of ${Object.keys(TYPES).join(', ')}`);
  const count = elementCount(shape);
  if (end - start !== count * elementBytes(type))
    throw new ForeignArrayError(
      `it has ${end - start} bytes, and ${dtype} ${shapeText(shape)} takes ${count * elementBytes(type)}`,
    );
  const bytes = new Uint8Array(end - start);
  if (!readExactly(fd, bytes, 0, bytes.length, start))
    throw new ForeignArrayError('the file ends before its last value');
  return decodeElements(bytes, type, count);
}

/** One tensor of a file to be written. */
export interface TensorPlan {
  readonly name: string;
  readonly dtype: 'F16' | 'F32';
  readonly shape: readonly number[];
}

/**
 * What a file begins with whose tensors' bytes follow in this order; padded with spaces to a multiple of 8, as the
 * reference implementation writes it.
 */
export function encodeSafetensorsHeader(
  tensors: readonly TensorPlan[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const header: { [name: string]: unknown } = { __metadata__: metadata };
  let offset = 0;
  for (const { name, dtype, shape } of tensors) {
    const bytes = elementCount(shape) * (dtype === 'F16' ? 2 : 4);
    header[name] = { dtype, shape, data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }
  const json = Buffer.from(JSON.stringify(header), 'utf8');
  const padded = Math.ceil(json.length / 8) * 8;
  const bytes = Buffer.alloc(8 + padded, 0x20);
  bytes.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(bytes, 8);
  return bytes;
}
