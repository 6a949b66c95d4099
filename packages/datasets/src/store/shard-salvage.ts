import type { FeatureSpec } from './feature-spec.ts';
import { DamageError } from './damage-error.ts';
import type { ShardEntry } from './index-part.ts';
import { readExactly } from './positional-read.ts';
import {
  type Batch,
  type BatchHeader,
  bufferCount,
  joinBatches,
  type MetadataBytes,
  readColumns,
  type ShardMetadata,
  valueRegion,
} from './shard-batch.ts';
import { valueBytes } from './shard-schema.ts';

/**
 * What can still be read of a shard whose metadata is damaged. The index says where each batch's values lie, so
 * each batch is looked for just before them, without the footer and without the batches before it; nothing that is
 * found is believed until a row's xxh64 fits. A batch whose own metadata is broken is left out as a whole.
 */
export function salvageMetadata(
  fd: number,
  size: number,
  entry: ShardEntry,
  spec: FeatureSpec,
  shard: string,
): ShardMetadata {
  const bytes = new UncheckedBytes(fd, size, shard);
  const stepBytes = spec.dim * valueBytes(entry.dtype);
  const batches: Batch[] = [];
  let from = 0;
  for (const region of entry.values) {
    const batch = findBatch(bytes, from, region, entry, spec, shard);
    from = region[0] + region[1];
    if (batch === null) continue;
    const [start, length] = valueRegion(batch, stepBytes);
    if (start === region[0] && length === region[1] && batch.lengths.every((n) => n >= 1))
      batches.push(batch);
  }
  return joinBatches(batches, spec, entry.dtype, shard);
}

/** Bytes of a file as they are. */
export class UncheckedBytes implements MetadataBytes {
  readonly size: number;
  readonly #fd: number;
  readonly #shard: string;

  constructor(fd: number, size: number, shard: string) {
    this.#fd = fd;
    this.size = size;
    this.#shard = shard;
  }

  copy(position: number, length: number): Uint8Array {
    // written so that NaN is refused too
    if (!(position >= 0 && length >= 0 && position + length <= this.size))
      throw new DamageError(this.#shard, `it has no bytes ${position} to ${position + length}`);
    const bytes = new Uint8Array(length);
    if (!readExactly(this.#fd, bytes, 0, length, position))
      throw new DamageError(this.#shard, `it ends before byte ${position + length}`);
    return bytes;
  }
}

/** Marker before each message of an Arrow file, at a multiple of 8 bytes. */
const CONTINUATION = 0xffffffff;

function findBatch(
  bytes: MetadataBytes,
  from: number,
  [values]: readonly [number, number],
  entry: ShardEntry,
  spec: FeatureSpec,
  shard: string,
): Batch | null {
  const end = Math.min(values, bytes.size);
  if (end <= from) return null;
  const between = orNull(() => bytes.copy(from, end - from));
  if (between === null) return null;
  const view = new DataView(between.buffer);
  for (let at = Math.ceil(from / 8) * 8 - from; at + 8 <= between.length; at += 8) {
    if (view.getUint32(at, true) !== CONTINUATION) continue;
    const metaLength = view.getInt32(at + 4, true);
    if (metaLength <= 0 || at + 8 + metaLength > between.length) continue;
    const message = between.subarray(at + 8, at + 8 + metaLength);
    const header = decodeBatchMessage(message, from + at + 8 + metaLength);
    if (header === null || header.rows > entry.rows || header.buffers.length !== bufferCount(spec.kind))
      continue;
    const batch = orNull(() => readColumns(bytes, header, spec.kind, shard));
    if (batch?.values === values) return batch;
  }
  return null;
}

/** Damaged metadata may point anywhere: then there is nothing to be had. */
function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    const io = (error as NodeJS.ErrnoException).code === 'EIO';
    if (io || error instanceof DamageError || error instanceof RangeError) return null;
    throw error;
  }
}

const RECORD_BATCH = 3;

/**
 * Decodes a message by hand (Arrow's Message.fbs: Message {version, header_type, header, bodyLength}, RecordBatch
 * {length, nodes, buffers, compression}): every offset is checked, where a general decoder would follow a damaged
 * count for billions of steps. @returns null for anything but a record batch in one piece.
 */
function decodeBatchMessage(message: Uint8Array, body: number): Omit<BatchHeader, 'metadata'> | null {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  return orNull(() => {
    const root = view.getUint32(0, true);
    const type = fieldAt(view, root, 1);
    const reference = fieldAt(view, root, 2);
    if (type === 0 || reference === 0 || view.getUint8(type) !== RECORD_BATCH) return null;
    const batch = reference + view.getUint32(reference, true);
    const length = fieldAt(view, batch, 0);
    const buffers = fieldAt(view, batch, 2);
    if (length === 0 || buffers === 0 || fieldAt(view, batch, 3) !== 0) return null;
    const vector = buffers + view.getUint32(buffers, true);
    const count = view.getUint32(vector, true);
    if (vector + 4 + 16 * count > view.byteLength) return null;
    const rows = Number(view.getBigInt64(length, true));
    if (rows < 1) return null;
    const starts = Array.from(
      { length: count },
      (_, i) => body + Number(view.getBigInt64(vector + 4 + 16 * i, true)),
    );
    return { rows, buffers: starts };
  });
}

/** Byte of a flatbuffer table's field; 0 where the table leaves it out. @throws RangeError outside the message. */
function fieldAt(view: DataView, table: number, field: number): number {
  const vtable = table - view.getInt32(table, true);
  const slot = 4 + 2 * field;
  if (slot + 2 > view.getUint16(vtable, true)) return 0;
  const offset = view.getUint16(vtable + slot, true);
  return offset === 0 ? 0 : table + offset;
}
