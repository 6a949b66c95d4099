/** One box of an ISO base media file (ISO/IEC 14496-12, 4.2). */
export interface Box {
  readonly type: string;
  /** Its content, without the header. */
  readonly body: DataView;
}

/** The size and type that stand at the start of a box; size 0 says that it goes on to the end of the file. */
export interface BoxHeader {
  readonly type: string;
  /** Bytes of the header itself: 8, or 16 with a 64-bit size. */
  readonly header: number;
  /** Bytes of the whole box; 0 for the rest of the file. */
  readonly size: number;
}

/** Bytes that hold any box header. */
export const BOX_HEADER_BYTES = 16;

/** Reads a box header; null where the bytes cannot be one. */
export function readBoxHeader(bytes: Uint8Array): BoxHeader | null {
  if (bytes.length < 8) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = typeAt(view, 4);
  const short = view.getUint32(0);
  if (short === 1) {
    if (bytes.length < 16) return null;
    const size = Number(view.getBigUint64(8));
    return size < 16 ? null : { type, header: 16, size };
  }
  return short !== 0 && short < 8 ? null : { type, header: 8, size: short };
}

/** The boxes that lie in a content from a byte on; one that is longer than what is left ends there. */
export function* boxesIn(content: DataView, from = 0): Generator<Box> {
  for (let at = from; at + 8 <= content.byteLength;) {
    const bytes = new Uint8Array(content.buffer, content.byteOffset + at, content.byteLength - at);
    const head = readBoxHeader(bytes.subarray(0, BOX_HEADER_BYTES));
    if (head === null) return;
    const size = head.size === 0 ? bytes.length : Math.min(head.size, bytes.length);
    const body = new DataView(content.buffer, bytes.byteOffset + head.header, size - head.header);
    yield { type: head.type, body };
    at += size;
  }
}

/** The first box of a path of types below a content. */
export function findBox(content: DataView, ...path: readonly string[]): DataView | null {
  const [first, ...rest] = path;
  for (const { type, body } of boxesIn(content)) {
    if (type === first) return rest.length === 0 ? body : findBox(body, ...rest);
  }
  return null;
}

/** Four characters, as Latin-1. */
export function typeAt(view: DataView, at: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));
}
