/**
 * Reads Protocol Buffers messages field by field, and writes them back as they were: what a pass does not understand it
 * passes on untouched.
 */
import { ProtoWriter } from './proto.ts';

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** One field: a varint, a fixed 32-bit float, or bytes (strings, messages, packed numbers), which are views. */
export interface ProtoField {
  readonly field: number;
  readonly value: bigint | { readonly float: number } | Uint8Array;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** @throws Error where the bytes are no such message */
export function readFields(bytes: Uint8Array): ProtoField[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields: ProtoField[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error(`a protobuf message ends inside a number, at byte ${at}`);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw new Error(`a number of a protobuf message is longer than ten bytes, at byte ${at}`);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const field = tag >>> 3;
    switch (tag & 7) {
      case VARINT:
        fields.push({ field, value: varint() });
        break;
      case LENGTH_DELIMITED: {
        const length = Number(varint());
        if (at + length > bytes.length)
          throw new Error(
            `field ${field} of a protobuf message has ${length} bytes, ${bytes.length - at} are left`,
          );
        fields.push({ field, value: bytes.subarray(at, at + length) });
        at += length;
        break;
      }
      case FIXED32:
        if (at + 4 > bytes.length) throw new Error(`field ${field} of a protobuf message is cut`);
        fields.push({ field, value: { float: view.getFloat32(at, true) } });
        at += 4;
        break;
      case FIXED64:
      default:
        throw new Error(
          `field ${field} of a protobuf message has wire type ${tag & 7}, which ONNX does not use`,
        );
    }
  }
  return fields;
}

/** The same fields as a message again. */
export function writeFields(fields: readonly ProtoField[]): ProtoWriter {
  const writer = new ProtoWriter();
  for (const { field, value } of fields) {
    if (value instanceof Uint8Array) writer.bytes(field, value);
    else if (typeof value === 'bigint') writer.int(field, value);
    else writer.float(field, value.float);
  }
  return writer;
}

/** All values of a repeated string field. @throws Error for one that is not UTF-8 */
export function stringsOf(fields: readonly ProtoField[], field: number): string[] {
  return bytesOf(fields, field).map((bytes) => utf8.decode(bytes));
}

/** All values of a repeated field of bytes or messages. */
export function bytesOf(fields: readonly ProtoField[], field: number): Uint8Array[] {
  return fields.flatMap((one) => (one.field === field && one.value instanceof Uint8Array ? [one.value] : []));
}

/** All values of a repeated integer field, packed or not; signed. */
export function integersOf(fields: readonly ProtoField[], field: number): bigint[] {
  return fields.flatMap((one) => {
    if (one.field !== field) return [];
    if (typeof one.value === 'bigint') return [BigInt.asIntN(64, one.value)];
    return one.value instanceof Uint8Array ? packedIntegers(one.value) : [];
  });
}

function packedIntegers(bytes: Uint8Array): bigint[] {
  const values: bigint[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 127) << shift;
    shift += 7n;
    if (byte >= 128) continue;
    values.push(BigInt.asIntN(64, value));
    value = 0n;
    shift = 0n;
  }
  return values;
}
