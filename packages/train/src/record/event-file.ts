import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '@lsgmer/datasets';
import type { EpochTiming } from './run-folder.ts';
import type { EpochRecord } from './run-state.ts';

/**
 * TensorBoard's event files: TFRecords (length, masked CRC-32C of it, payload, masked CRC-32C of it) of `Event`
 * messages (wall_time = 1, step = 2, file_version = 3, summary = 5 with values of tag = 1 and simple_value = 2).
 */

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0x82f63b78 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

/** CRC-32C (Castagnoli). */
export function crc32c(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = (CRC_TABLE[(c ^ byte) & 0xff] as number) ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** As TFRecord stores a checksum: rotated right by 15 bits, plus a constant. */
function masked(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

export function tfRecord(payload: Uint8Array): Uint8Array {
  const out = Buffer.alloc(12 + payload.length + 4);
  out.writeBigUInt64LE(BigInt(payload.length), 0);
  out.writeUInt32LE(masked(out.subarray(0, 8)), 8);
  out.set(payload, 12);
  out.writeUInt32LE(masked(payload), 12 + payload.length);
  return out;
}

function varint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
  return [...out, rest];
}

function field(number: number, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(payload.length)]), payload]);
}

function event(wallTime: number, step: number, ...rest: Uint8Array[]): Buffer {
  const head = Buffer.alloc(9);
  head[0] = (1 << 3) | 1;
  head.writeDoubleLE(wallTime, 1);
  const at = step === 0 ? Buffer.alloc(0) : Buffer.from([2 << 3, ...varint(step)]);
  return Buffer.concat([head, at, ...rest]);
}

/** First record of every file. @param wallTime seconds since 1970 */
export function versionEvent(wallTime: number): Uint8Array {
  return tfRecord(event(wallTime, 0, field(3, Buffer.from('brain.Event:2'))));
}

/** Scalars of one step. */
export function scalarEvent(
  wallTime: number,
  step: number,
  values: Readonly<Record<string, number>>,
): Uint8Array {
  const entries = Object.entries(values).map(([tag, value]) => {
    const number = Buffer.alloc(5);
    number[0] = (2 << 3) | 5;
    number.writeFloatLE(value, 1);
    return field(1, Buffer.concat([field(1, Buffer.from(tag)), number]));
  });
  return tfRecord(event(wallTime, step, field(5, Buffer.concat(entries))));
}

/** What TensorBoard shows of an epoch; test scores only where the selection rule looks at them. */
export function epochScalars(
  record: EpochRecord,
  timing: EpochTiming,
  showTest: boolean,
): Record<string, number> {
  const { dev, test } = record;
  const scores = (part: string, of: typeof dev): Record<string, number> =>
    of === null
      ? {}
      : Object.fromEntries(
          (['wa', 'ua', 'wf1', 'mf1', 'ce'] as const).map((key) => [`${part}/${key}`, of[key]]),
        );
  return {
    'train/loss': record.loss,
    'train/ce': record.ce,
    'train/apc': record.apc,
    'train/wa': record.trainWa,
    'train/gradient_norm': record.gradientNorm,
    'train/lr': record.lr,
    ...(record.gate === null ? {} : { 'train/gate_audio': record.gate[0] }),
    ...(record.labelMovement === null ? {} : { 'train/label_movement': record.labelMovement }),
    'train/utterances_per_second': timing.utterancesPerSecond,
    ...scores('dev', dev),
    ...(showTest ? scores('oracle-test', test) : {}),
  };
}

/** Appends to one event file; a run that goes on gets another file in the same folder, as TensorBoard expects. */
export class EventFile {
  private readonly path: string;
  private readonly seconds: () => number;

  /** @param seconds since 1970 */
  constructor(folder: string, tag: string, seconds: () => number) {
    this.seconds = seconds;
    makeFolder(folder);
    this.path = join(folder, `events.out.tfevents.${Math.floor(seconds())}.${tag}`);
    appendFileSync(this.path, versionEvent(seconds()));
  }

  add(step: number, values: Readonly<Record<string, number>>): void {
    appendFileSync(this.path, scalarEvent(this.seconds(), step, values));
  }
}
