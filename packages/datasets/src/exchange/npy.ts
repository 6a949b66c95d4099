import { decodeElements, elementBytes, elementCount, type ElementType, shapeText } from './element-type.ts';
import { ForeignArrayError } from './foreign-array.ts';

/**
 * The .npy format (NumPy enhancement proposal 1): `\x93NUMPY`, a version, the length of a header, the header as a
 * Python dictionary of descr, fortran_order and shape, the values.
 */
export interface NpyHeader {
  readonly type: ElementType | 'text';
  readonly bigEndian: boolean;
  readonly fortran: boolean;
  readonly shape: readonly number[];
  /** Bytes of one element. */
  readonly size: number;
  /** Byte of the file at which the values begin. */
  readonly offset: number;
}

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
/** Bytes with which the length of the header is known. */
export const NPY_PREFIX = 12;
/** NumPy's own limit is 10,000 bytes; longer ones only describe records. */
const LONGEST_HEADER = 1 << 20;

const TYPES: { readonly [code: string]: ElementType } = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  i1: 'int8',
  u1: 'uint8',
  i2: 'int16',
  u2: 'uint16',
  i4: 'int32',
  u4: 'uint32',
  i8: 'int64',
  u8: 'uint64',
  b1: 'bool',
};

/**
 * Where a header ends.
 * @param start the first 12 bytes of the file.
 * @throws ForeignArrayError where it is no .npy.
 */
export function npyHeaderEnd(start: Uint8Array): number {
  if (start.length < NPY_PREFIX || !MAGIC.equals(start.subarray(0, MAGIC.length)))
    throw new ForeignArrayError('it is no .npy file: it does not begin with \\x93NUMPY');
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const major = start[6] as number;
  if (major < 1 || major > 3)
    throw new ForeignArrayError(`its .npy version is ${major}.${start[7]}, expected 1.0, 2.0 or 3.0`);
  const end = major === 1 ? 10 + view.getUint16(8, true) : 12 + view.getUint32(8, true);
  if (end > LONGEST_HEADER) throw new ForeignArrayError(`its .npy header of ${end} bytes is no header`);
  return end;
}

/**
 * Reads a header; nothing of it is ever evaluated.
 * @param bytes the file from its beginning to the end of the header, or more.
 * @throws ForeignArrayError for pickled objects, records, types that are no numbers, damage.
 */
export function readNpyHeader(bytes: Uint8Array): NpyHeader {
  const offset = npyHeaderEnd(bytes.subarray(0, NPY_PREFIX));
  if (bytes.length < offset) throw new ForeignArrayError(`it ends within its header (${bytes.length} bytes)`);
  const begin = bytes[6] === 1 ? 10 : 12;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + begin, offset - begin).toString('utf8');
  const descr = /'descr'\s*:\s*(?:'([^']*)'|(\[))/.exec(text);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text);
  const shape = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(text);
  if (!descr || !order || !shape) throw new ForeignArrayError(`its .npy header is damaged: ${text.trim()}`);
  if (descr[2] !== undefined)
    throw new ForeignArrayError('it holds records of several fields, expected numbers of one type');
  const sizes = (shape[1] ?? '')
    .split(',')
    .map((part) => part.trim().replace(/L$/, ''))
    .filter((part) => part !== '')
    .map(Number);
  const { type, size, bigEndian } = parseType(descr[1] ?? '');
  return { type, size, bigEndian, fortran: order[1] === 'True', shape: sizes, offset };
}

function parseType(descr: string): Pick<NpyHeader, 'type' | 'size' | 'bigEndian'> {
  const [, order = '', code = '', digits = ''] = /^([<>|=]?)([a-zA-Z])(\d*)$/.exec(descr) ?? [];
  if (code === 'O') {
    throw new ForeignArrayError(
      'it holds pickled Python objects, which are never run here; save each array by itself in Python: ' +
        'for name, a in np.load(FILE, allow_pickle=True).item().items(): np.save(name + ".npy", a)',
    );
  }
  const bigEndian = order === '>';
  if (code === 'U') return { type: 'text', size: 4 * Number(digits), bigEndian };
  if (code === 'S') return { type: 'text', size: Number(digits), bigEndian };
  const type = TYPES[`${code}${digits}`];
  if (type === undefined) throw new ForeignArrayError(`its values are of type '${descr}', expected numbers`);
  return { type, size: elementBytes(type), bigEndian };
}

/** An array read whole. */
export interface NpyArray {
  readonly shape: readonly number[];
  /** Row-major, whatever the file's order. */
  readonly values: Float32Array;
}

/** @throws ForeignArrayError as `readNpyHeader`, and where the file is cut off or holds text. */
export function decodeNpy(bytes: Uint8Array): NpyArray {
  const header = readNpyHeader(bytes);
  const { type, shape, bigEndian, fortran, offset, size } = header;
  if (type === 'text') throw new ForeignArrayError('it holds text, expected numbers');
  const count = elementCount(shape);
  const end = offset + count * size;
  if (bytes.length !== end) {
    throw new ForeignArrayError(
      `it has ${bytes.length} bytes, and a ${type} array of shape ${shapeText(shape)} takes ${end}: it is cut off or damaged`,
    );
  }
  const values = decodeElements(bytes.subarray(offset, end), type, count, bigEndian);
  return { shape, values: fortran ? fromFortran(values, shape) : values };
}

/** Column-major to row-major. */
export function fromFortran(values: Float32Array, shape: readonly number[]): Float32Array {
  if (shape.filter((size) => size > 1).length < 2) return values;
  const strides = shape.map((_, axis) => elementCount(shape.slice(0, axis)));
  const out = new Float32Array(values.length);
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to++) {
    out[to] = values[from] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis] as number;
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      from -= (shape[axis] as number) * (strides[axis] as number);
      index[axis] = 0;
    }
  }
  return out;
}

/** Strings of an array of `U` (UTF-32) or `S` (bytes) elements. */
export function decodeNpyText(bytes: Uint8Array): string[] {
  const header = readNpyHeader(bytes);
  const { shape, size, offset, bigEndian } = header;
  if (header.type !== 'text') throw new ForeignArrayError('it holds numbers, expected text');
  const wide = /'descr'\s*:\s*'[<>|=]?U/.test(Buffer.from(bytes.subarray(0, offset)).toString('latin1'));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length !== offset + elementCount(shape) * size)
    throw new ForeignArrayError('it is cut off or damaged');
  return Array.from({ length: elementCount(shape) }, (_, i) => {
    const start = offset + i * size;
    if (!wide)
      return Buffer.from(bytes.subarray(start, start + size))
        .toString('utf8')
        .replace(/\0+$/, '');
    let text = '';
    for (let at = start; at < start + size; at += 4) {
      const point = view.getUint32(at, !bigEndian);
      if (point !== 0) text += String.fromCodePoint(point);
    }
    return text;
  });
}

/** Bytes of a .npy header, version 1.0, padded as NumPy pads it. */
export function encodeNpyHeader(type: 'float16' | 'float32', shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${type === 'float16' ? '<f2' : '<f4'}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const header = Buffer.alloc(10 + length, 0x20);
  MAGIC.copy(header);
  header[6] = 1;
  header[7] = 0;
  header.writeUInt16LE(length, 8);
  header.write(text, 10, 'latin1');
  header[header.length - 1] = 0x0a;
  return header;
}
