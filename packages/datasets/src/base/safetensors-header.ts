/**
 * The header of the safetensors format (github.com/huggingface/safetensors): 8 bytes with its length, little-endian, a
 * JSON object with type, shape and place of each tensor, padded with spaces; the tensors' bytes follow without gaps.
 */

/** Bytes of an element, for the types that the reference implementation writes whole bytes of. */
const ELEMENT_BYTES: { readonly [dtype: string]: number } = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
};

/** The reference implementation refuses longer headers, too. */
const LONGEST_HEADER = 100_000_000;

/** Where a tensor lies in its file. */
export interface SafetensorsEntry {
  readonly name: string;
  /** `F32`, `BF16`, ... */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** First byte in the file, and the one behind the last. */
  readonly start: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In the order of their bytes. */
  readonly entries: readonly SafetensorsEntry[];
  readonly metadata: { readonly [key: string]: string };
}

/** What is wrong with a file, beginning with `it` or `its`: callers add its name. */
export class SafetensorsError extends Error {}

/**
 * Reads a header, and checks that all of it fits together and into the file.
 * @param read the file's bytes from `position` on; fewer than `length` at its end.
 * @param size of the file in bytes.
 * @throws SafetensorsError when it is no safetensors file, damaged, or cut off.
 */
export function readSafetensorsHeader(
  read: (position: number, length: number) => Uint8Array,
  size: number,
): SafetensorsHeader {
  if (size < 8) throw new SafetensorsError(`it is no safetensors file: ${size} bytes`);
  const prefix = Buffer.from(read(0, 8));
  const length = Number(prefix.readBigUInt64LE(0));
  if (length > LONGEST_HEADER || 8 + length > size) {
    throw new SafetensorsError(
      `it is no safetensors file, or cut off: a header of ${length} bytes in a file of ${size}`,
    );
  }
  const { __metadata__: metadata, ...tensors } = parse(Buffer.from(read(8, length)).toString('utf8'));
  if (metadata !== undefined && !isTexts(metadata)) throw damagedAt('__metadata__');
  const entries = Object.entries(tensors)
    .map(([name, entry]) => checkedEntry(name, entry, 8 + length))
    .sort((a, b) => a.start - b.start || a.end - b.end);
  let end = 8 + length;
  for (const entry of entries) {
    if (entry.start !== end) throw damagedAt(entry.name);
    end = entry.end;
  }
  if (end > size) throw new SafetensorsError(`it is cut off: ${size} bytes, its tensors end at byte ${end}`);
  return { entries, metadata: metadata ?? {} };
}

function parse(text: string): { [name: string]: unknown } {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (error) {
    throw new SafetensorsError(`its safetensors header is no JSON: ${(error as Error).message}`);
  }
  if (!isRecord(header)) throw new SafetensorsError('its safetensors header is no JSON object');
  return header;
}

function checkedEntry(name: string, entry: unknown, base: number): SafetensorsEntry {
  const { dtype, shape, data_offsets: offsets } = isRecord(entry) ? entry : {};
  if (typeof dtype !== 'string' || !isCounts(shape) || !isCounts(offsets)) throw damagedAt(name);
  const [from, to] = offsets as [number, number];
  if (offsets.length !== 2 || to < from) throw damagedAt(name);
  const bytes = ELEMENT_BYTES[dtype];
  const count = shape.reduce((product, dim) => product * dim, 1);
  if (bytes !== undefined && to - from !== count * bytes) {
    throw new SafetensorsError(
      `its safetensors header is damaged: ${name} has bytes ${from} to ${to} for ${dtype} [${shape.join(', ')}]`,
    );
  }
  return { name, dtype, shape, start: base + from, end: base + to };
}

const damagedAt = (name: string): SafetensorsError =>
  new SafetensorsError(`its safetensors header is damaged at ${name}`);

const isRecord = (value: unknown): value is { [name: string]: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isTexts = (value: unknown): value is { [key: string]: string } =>
  isRecord(value) && Object.values(value).every((one) => typeof one === 'string');

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((one) => Number.isSafeInteger(one) && (one as number) >= 0);

/** One tensor of a file to be written. */
export interface SafetensorsPlan {
  readonly name: string;
  readonly dtype: 'F16' | 'F32';
  readonly shape: readonly number[];
}

/**
 * What a file begins with whose tensors' bytes follow in this order; padded with spaces to a multiple of 8, as the
 * reference implementation writes it. Equal input gives equal bytes.
 */
export function encodeSafetensorsHeader(
  tensors: readonly SafetensorsPlan[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const header: { [name: string]: unknown } =
    Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  let offset = 0;
  for (const { name, dtype, shape } of tensors) {
    const end = offset + shape.reduce((product, dim) => product * dim, ELEMENT_BYTES[dtype] as number);
    header[name] = { dtype, shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = Buffer.from(JSON.stringify(header), 'utf8');
  const padded = Math.ceil(json.length / 8) * 8;
  const bytes = Buffer.alloc(8 + padded, 0x20);
  bytes.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(bytes, 8);
  return bytes;
}
