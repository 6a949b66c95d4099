/**
 * The safetensors format (github.com/huggingface/safetensors): 8 bytes with the header's length
 * (little-endian), a JSON header, the tensors' bytes one after the other. Written as the reference
 * implementation writes it: tensors by name, header padded with spaces to a multiple of 8.
 */

export interface Tensor {
  readonly shape: readonly number[];
  /** Row-major, product of `shape` values. */
  readonly values: Float32Array;
}

export interface Safetensors {
  readonly tensors: { readonly [name: string]: Tensor };
  readonly metadata: { readonly [key: string]: string };
}

interface HeaderEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** More than any header of ours; the reference refuses more, too. */
const LONGEST_HEADER = 100_000_000;

/**
 * Bytes of a safetensors file of float32 tensors. Equal content gives equal bytes.
 * @throws Error when a tensor's shape and its number of values disagree
 */
export function encodeSafetensors({ tensors, metadata }: Safetensors): Uint8Array {
  const header: { [name: string]: unknown } = {};
  const keys = Object.keys(metadata).sort();
  if (keys.length > 0) header['__metadata__'] = Object.fromEntries(keys.map((key) => [key, metadata[key]]));
  const names = Object.keys(tensors).sort();
  let offset = 0;
  for (const name of names) {
    const { shape, values } = tensors[name] as Tensor;
    const count = shape.reduce((a, b) => a * b, 1);
    if (count !== values.length)
      throw new Error(`${name}: shape [${shape.join(', ')}] but ${values.length} values`);
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + 4 * count] };
    offset += 4 * count;
  }
  const json = Buffer.from(JSON.stringify(header), 'utf8');
  const padded = Math.ceil(json.length / 8) * 8;
  const bytes = Buffer.alloc(8 + padded + offset, 0x20);
  bytes.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(bytes, 8);
  let at = 8 + padded;
  for (const name of names) {
    const { values } = tensors[name] as Tensor;
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return bytes;
}

/**
 * Reads a safetensors file whose tensors are float32.
 * @throws Error with what is wrong (length, header, offsets, dtype); callers add the file's name
 */
export function decodeSafetensors(bytes: Uint8Array): Safetensors {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8) throw new Error(`not safetensors: ${bytes.length} bytes, expected at least 8`);
  const size = Number(view.getBigUint64(0, true));
  if (size > LONGEST_HEADER || 8 + size > bytes.length) {
    throw new Error(`not safetensors: header of ${size} bytes in a file of ${bytes.length}`);
  }
  let header: { [name: string]: HeaderEntry | { [key: string]: string } };
  try {
    header = JSON.parse(
      Buffer.from(bytes.buffer, bytes.byteOffset + 8, size).toString('utf8'),
    ) as typeof header;
  } catch (error) {
    throw new Error(`not safetensors: header is not JSON: ${(error as Error).message}`, { cause: error });
  }
  const data = bytes.subarray(8 + size);
  const tensors: { [name: string]: Tensor } = {};
  let metadata: { [key: string]: string } = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') metadata = entry as { [key: string]: string };
    else tensors[name] = readTensor(name, entry as HeaderEntry, data);
  }
  return { tensors, metadata };
}

function readTensor(
  name: string,
  { dtype, shape, data_offsets: [start, end] }: HeaderEntry,
  data: Uint8Array,
): Tensor {
  if (dtype !== 'F32') throw new Error(`${name}: dtype ${dtype}, expected F32`);
  const count = shape.reduce((a, b) => a * b, 1);
  if (end - start !== 4 * count || start < 0 || end > data.length) {
    throw new Error(`${name}: bytes ${start} to ${end} of ${data.length} for shape [${shape.join(', ')}]`);
  }
  const copy = data.slice(start, end);
  return { shape, values: new Float32Array(copy.buffer, copy.byteOffset, count) };
}
