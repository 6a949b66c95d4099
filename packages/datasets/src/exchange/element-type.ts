import { decodeHalf } from '../store/half.ts';

/** Types of numbers that arrays made elsewhere come in. */
export type ElementType =
  | 'float16'
  | 'bfloat16'
  | 'float32'
  | 'float64'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'bool';

const BYTES: { readonly [type in ElementType]: number } = {
  float16: 2,
  bfloat16: 2,
  float32: 4,
  float64: 8,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  bool: 1,
};

export function elementBytes(type: ElementType): number {
  return BYTES[type];
}

/**
 * Numbers of any type as float32, rounded to nearest. A float64 beyond float32's range becomes an infinity, which no
 * store accepts.
 * @param bytes exactly `count` elements, at any alignment.
 */
export function decodeElements(
  bytes: Uint8Array,
  type: ElementType,
  count: number,
  bigEndian = false,
): Float32Array {
  const size = BYTES[type];
  if (bytes.length !== count * size)
    throw new Error(`${bytes.length} bytes for ${count} elements of ${size} bytes`);
  // a slice of a Buffer would share its memory
  const own = new Uint8Array(bytes);
  if (bigEndian) swap(own, size);
  const { buffer } = own;
  switch (type) {
    case 'float32':
      return new Float32Array(buffer, 0, count);
    case 'float64':
      return Float32Array.from(new Float64Array(buffer, 0, count));
    case 'float16': {
      const out = new Float32Array(count);
      decodeHalf(new Uint16Array(buffer, 0, count), out);
      return out;
    }
    case 'bfloat16': {
      const out = new Float32Array(count);
      const bits = new Uint32Array(out.buffer);
      new Uint16Array(buffer, 0, count).forEach((half, i) => (bits[i] = half << 16));
      return out;
    }
    case 'int8':
      return Float32Array.from(new Int8Array(buffer, 0, count));
    case 'int16':
      return Float32Array.from(new Int16Array(buffer, 0, count));
    case 'uint16':
      return Float32Array.from(new Uint16Array(buffer, 0, count));
    case 'int32':
      return Float32Array.from(new Int32Array(buffer, 0, count));
    case 'uint32':
      return Float32Array.from(new Uint32Array(buffer, 0, count));
    case 'int64':
      return fromBig(new BigInt64Array(buffer, 0, count));
    case 'uint64':
      return fromBig(new BigUint64Array(buffer, 0, count));
    default:
      return Float32Array.from(own);
  }
}

function fromBig(values: BigInt64Array | BigUint64Array): Float32Array {
  const out = new Float32Array(values.length);
  values.forEach((value, i) => (out[i] = Number(value)));
  return out;
}

/** Reverses the bytes of each element, in place. */
function swap(bytes: Uint8Array, size: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (size === 2) buffer.swap16();
  else if (size === 4) buffer.swap32();
  else if (size === 8) buffer.swap64();
}

/** Elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** `[20, 768]` */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
