/**
 * Protocol Buffers wire format, the part that ONNX needs: varints, fixed 32-bit floats and length-delimited
 * fields (https://protobuf.dev/programming-guides/encoding/). Large byte arrays are kept by reference, so that
 * a model's weights are never copied before they reach the file.
 */

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** Byte arrays below this size are copied into the running buffer: fewer, larger chunks. */
const COPY_BELOW = 4096;

const utf8 = new TextEncoder();

/** One protobuf message under construction; a message nested in another is its own `ProtoWriter`. */
export class ProtoWriter {
  /** Finished parts, in order; the bytes after them are still in `buffer`. */
  private readonly parts: Uint8Array[] = [];
  private partsSize = 0;
  private buffer = new Uint8Array(128);
  private used = 0;

  /** Bytes of the message so far. */
  get size(): number {
    return this.partsSize + this.used;
  }

  /** int32, int64, enum or bool. Negative numbers take ten bytes, as the format asks. */
  int(field: number, value: number | bigint): this {
    this.tag(field, VARINT);
    if (typeof value === 'number' && !Number.isSafeInteger(value)) {
      throw new Error(`field ${field}: ${value} is not an integer that a varint can hold exactly`);
    }
    this.varint(value);
    return this;
  }

  float(field: number, value: number): this {
    this.tag(field, FIXED32);
    this.reserve(4);
    new DataView(this.buffer.buffer).setFloat32(this.used, value, true);
    this.used += 4;
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, utf8.encode(value));
  }

  /** `value` is referenced, not copied, when it is large: it must not change before the message is written. */
  bytes(field: number, value: Uint8Array): this {
    this.tag(field, LENGTH_DELIMITED);
    this.varint(value.length);
    this.append(value);
    return this;
  }

  message(field: number, value: ProtoWriter): this {
    this.tag(field, LENGTH_DELIMITED);
    this.varint(value.size);
    for (const chunk of value.chunks()) this.append(chunk);
    return this;
  }

  /** The encoded message as consecutive parts. */
  chunks(): Uint8Array[] {
    const rest = this.buffer.subarray(0, this.used);
    return this.used === 0 ? [...this.parts] : [...this.parts, rest];
  }

  private append(bytes: Uint8Array): void {
    if (bytes.length < COPY_BELOW) {
      this.reserve(bytes.length);
      this.buffer.set(bytes, this.used);
      this.used += bytes.length;
      return;
    }
    if (this.used > 0) {
      this.parts.push(this.buffer.subarray(0, this.used));
      this.partsSize += this.used;
      this.buffer = new Uint8Array(128);
      this.used = 0;
    }
    this.parts.push(bytes);
    this.partsSize += bytes.length;
  }

  private tag(field: number, wire: number): void {
    this.varint(field * 8 + wire);
  }

  private varint(value: number | bigint): void {
    this.reserve(10);
    if (typeof value === 'bigint' || value < 0) {
      let rest = BigInt.asUintN(64, BigInt(value));
      while (rest > 127n) {
        this.buffer[this.used++] = Number(rest & 127n) | 128;
        rest >>= 7n;
      }
      this.buffer[this.used++] = Number(rest);
      return;
    }
    let rest = value;
    while (rest > 127) {
      this.buffer[this.used++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.buffer[this.used++] = rest;
  }

  private reserve(bytes: number): void {
    if (this.used + bytes <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.used + bytes));
    larger.set(this.buffer.subarray(0, this.used));
    this.buffer = larger;
  }
}
