import { encodeSafetensorsHeader, readSafetensorsHeader } from '@lsgmer/datasets';

/** Files of float32 tensors, written as the reference implementation writes them: tensors by name. */
export interface Tensor {
  readonly shape: readonly number[];
  /** Row-major, product of `shape` values. */
  readonly values: Float32Array;
}

export interface Safetensors {
  readonly tensors: { readonly [name: string]: Tensor };
  readonly metadata: { readonly [key: string]: string };
}

/**
 * Bytes of a safetensors file of float32 tensors. Equal content gives equal bytes.
 * @throws Error when a tensor's shape and its number of values disagree
 */
export function encodeSafetensors({ tensors, metadata }: Safetensors): Uint8Array {
  const sorted = Object.entries(tensors).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, { shape, values }] of sorted) {
    if (shape.reduce((a, b) => a * b, 1) !== values.length)
      throw new Error(`${name}: shape [${shape.join(', ')}] but ${values.length} values`);
  }
  const header = encodeSafetensorsHeader(
    sorted.map(([name, { shape }]) => ({ name, dtype: 'F32', shape })),
    Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))),
  );
  const size = sorted.reduce((sum, [, { values }]) => sum + values.byteLength, header.length);
  const bytes = new Uint8Array(size);
  bytes.set(header);
  let at = header.length;
  for (const [, { values }] of sorted) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return bytes;
}

/**
 * Reads a safetensors file whose tensors are float32.
 * @throws Error with what is wrong, beginning with `it`, `its` or a tensor's name; callers add the file's name
 */
export function decodeSafetensors(bytes: Uint8Array): Safetensors {
  const { entries, metadata } = readSafetensorsHeader(
    (position, length) => bytes.subarray(position, position + length),
    bytes.length,
  );
  const tensors: { [name: string]: Tensor } = {};
  for (const { name, dtype, shape, start, end } of entries) {
    if (dtype !== 'F32') throw new Error(`${name}: dtype ${dtype}, expected F32`);
    // a copy: in the file a tensor may begin at any byte
    tensors[name] = { shape, values: new Float32Array(new Uint8Array(bytes.subarray(start, end)).buffer) };
  }
  return { tensors, metadata };
}
