import { closeSync, openSync, readSync } from 'node:fs';
import { UserError } from '@lsgmer/datasets';

/** Element types that weights come in, and their bytes. */
export const ELEMENT_SIZES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const;
export type ElementKind = keyof typeof ELEMENT_SIZES;

/** Where a tensor lies in a checkpoint. */
export interface StoredTensor {
  readonly name: string;
  readonly kind: ElementKind;
  readonly shape: readonly number[];
  /** Absolute path of the file. */
  readonly file: string;
  /** Byte in the file at which element 0 lies. */
  readonly offset: number;
  /** Elements from one index to the next, per axis; row-major where absent. */
  readonly strides?: readonly number[];
}

export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** Whether the elements lie in the file one after the other, the last axis fastest. */
export function isRowMajor({ shape, strides }: Pick<StoredTensor, 'shape' | 'strides'>): boolean {
  if (strides === undefined || elementsOf(shape) === 0) return true;
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis] as number;
  }
  return true;
}

/**
 * Reads a tensor's values as float32, row-major.
 * @throws UserError when the file ends before the tensor does, or its elements are no floating-point numbers
 */
export function readFloats(tensor: StoredTensor): Float32Array {
  const { name, kind, shape, file, offset, strides } = tensor;
  if (!['F32', 'F16', 'BF16', 'F64'].includes(kind)) {
    throw new UserError(
      `${file}: ${name} is ${kind}: expected a floating-point tensor (quantised weights are not read)`,
    );
  }
  const count = elementsOf(shape);
  if (count === 0) return new Float32Array(0);
  const dense = isRowMajor(tensor);
  const reach = dense
    ? count
    : 1 + shape.reduce((sum, dim, axis) => sum + (dim - 1) * ((strides as number[])[axis] as number), 0);
  const floats = toFloat32(kind, readBytes(file, offset, reach * ELEMENT_SIZES[kind], name));
  return dense ? floats : gather(floats, shape, strides as readonly number[]);
}

/** @throws UserError when the file cannot be read or ends too early */
export function readBytes(file: string, offset: number, length: number, what: string): Uint8Array {
  // A buffer of its own: typed arrays of any element size can look at it.
  const bytes = new Uint8Array(length);
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    throw new UserError(`${file} cannot be read (${(error as Error).message})`);
  }
  try {
    for (let at = 0; at < length;) {
      const read = readSync(fd, bytes, at, Math.min(length - at, 2 ** 30), offset + at);
      if (read === 0) {
        throw new UserError(
          `${file} ends at byte ${offset + at}, but ${what} takes bytes ${offset} to ${offset + length}: ` +
            'the file is cut off, fetch it again',
        );
      }
      at += read;
    }
  } finally {
    closeSync(fd);
  }
  return bytes;
}

function toFloat32(kind: ElementKind, bytes: Uint8Array): Float32Array {
  const { buffer } = bytes;
  switch (kind) {
    case 'F64':
      return Float32Array.from(new Float64Array(buffer));
    case 'F16':
      return halves(new Uint16Array(buffer));
    case 'BF16': {
      // bfloat16 is the upper half of a float32.
      const words = Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16);
      return new Float32Array(words.buffer);
    }
    default:
      return new Float32Array(buffer);
  }
}

/** Bits of float32 for each float16, built once: exact, subnormals, infinities and NaN included. */
let halfTable: Uint32Array | undefined;

function halves(bits: Uint16Array): Float32Array {
  halfTable ??= Uint32Array.from({ length: 2 ** 16 }, (_, half) => float32Bits(half));
  const table = halfTable;
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = table[bits[i] as number] as number;
  return new Float32Array(words.buffer);
}

function float32Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  let fraction = half & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f800000 | (fraction << 13)) >>> 0;
  if (exponent > 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0;
  if (fraction === 0) return sign >>> 0;
  let shifted = 113;
  while ((fraction & 0x400) === 0) {
    fraction <<= 1;
    shifted--;
  }
  return (sign | (shifted << 23) | ((fraction & 0x3ff) << 13)) >>> 0;
}

function gather(values: Float32Array, shape: readonly number[], strides: readonly number[]): Float32Array {
  const out = new Float32Array(elementsOf(shape));
  const index = shape.map(() => 0);
  let at = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = values[at] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis] as number;
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      at -= (shape[axis] as number) * (strides[axis] as number);
      index[axis] = 0;
    }
  }
  return out;
}
