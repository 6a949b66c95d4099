/** Element types of ONNX tensors that this project uses, with their numbers in TensorProto.DataType. */
export const ELEMENT_TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
} as const;

export type ElementType = keyof typeof ELEMENT_TYPES;

/** Bytes per element. */
export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = {
  float32: 4,
  uint8: 1,
  int8: 1,
  int32: 4,
  int64: 8,
  bool: 1,
  float16: 2,
};

/** What a tensor's values may be held in; float16 is held as its bits, bool as bytes 0 and 1. */
export type TensorData =
  | Float32Array
  | Uint16Array
  | Uint8Array
  | Int8Array
  | Int32Array
  | BigInt64Array
  | readonly number[];

/** Number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const dim of shape) count *= dim;
  return count;
}

/**
 * The little-endian bytes of a tensor. A typed array of the right kind is viewed, not copied; a plain array of
 * numbers is converted.
 * @throws when the array's kind does not fit the element type
 */
export function tensorBytes(type: ElementType, data: TensorData): Uint8Array {
  const typed = Array.isArray(data) ? fromNumbers(type, data as readonly number[]) : (data as TypedData);
  const fits =
    (type === 'float32' && typed instanceof Float32Array) ||
    (type === 'float16' && typed instanceof Uint16Array) ||
    (type === 'int32' && typed instanceof Int32Array) ||
    (type === 'int64' && typed instanceof BigInt64Array) ||
    (type === 'int8' && typed instanceof Int8Array) ||
    ((type === 'uint8' || type === 'bool') && typed instanceof Uint8Array);
  if (!fits) throw new Error(`a ${type} tensor cannot be held in a ${typed.constructor.name}`);
  return new Uint8Array(typed.buffer, typed.byteOffset, typed.byteLength);
}

type TypedData = Exclude<TensorData, readonly number[]>;

function fromNumbers(type: ElementType, values: readonly number[]): TypedData {
  switch (type) {
    case 'float32':
      return Float32Array.from(values);
    case 'int32':
      return Int32Array.from(values);
    case 'int64':
      return BigInt64Array.from(values, (value) => BigInt(value));
    case 'int8':
      return Int8Array.from(values);
    case 'uint8':
    case 'bool':
      return Uint8Array.from(values);
    default:
      throw new Error(`${type} constants are given as their bits in a typed array`);
  }
}
