import { HeaderError } from './header-error.ts';

/** Random access to a file's bytes, so that a header costs a few small reads whatever the file's size. */
export interface ByteSource {
  readonly size: number;
  /** The bytes from `offset`, as many as `length` or as the file has. */
  read(offset: number, length: number): Uint8Array;
}

/** A source over bytes that are in memory. */
export function byteSource(bytes: Uint8Array): ByteSource {
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

export type WavCoding = 'pcm' | 'float' | 'alaw' | 'mulaw' | 'other';

export interface WavHeader {
  readonly coding: WavCoding;
  /** Format tag; that of the sub-format where the header is WAVE_FORMAT_EXTENSIBLE. */
  readonly formatTag: number;
  readonly channels: number;
  /** In Hz. */
  readonly sampleRate: number;
  /** Container bits of one sample of one channel; 0 where the coding has no fixed size. */
  readonly bitsPerSample: number;
  /** Bytes of one sample of all channels (of one block in block codings). */
  readonly blockAlign: number;
  readonly bigEndian: boolean;
  readonly dataOffset: number;
  /** Bytes of sound that the file really holds. */
  readonly dataBytes: number;
  /** Samples per channel that the file really holds. */
  readonly frames: number;
  /** The data chunk promises more than the file holds. */
  readonly truncated: boolean;
}

/** What is wrong with a file that should be a WAV. */
export class WavError extends HeaderError {
  override readonly name: string = 'WavError';
}

const CODINGS: ReadonlyMap<number, WavCoding> = new Map([
  [1, 'pcm'],
  [3, 'float'],
  [6, 'alaw'],
  [7, 'mulaw'],
]);
const EXTENSIBLE = 0xfffe;
/** Sizes that writers to a pipe leave in the header: the sound goes on to the end of the file. */
const UNKNOWN_SIZE = 0x7ffff000;

/**
 * Reads the header of a RIFF/WAVE file (Microsoft, Multimedia Programming Interface 1.0, and WAVEFORMATEXTENSIBLE),
 * also RIFX (big-endian) and RF64. A data chunk of size 0 with bytes after it, or one of a size that streaming
 * writers leave, goes on to the end of the file, as ffmpeg reads it.
 * @throws WavError that says what is wrong, and at which byte.
 */
export function readWavHeader(source: ByteSource): WavHeader {
  if (source.size === 0) throw new WavError('a file of 0 bytes');
  const head = source.read(0, 12);
  const magic = ascii(head, 0);
  if (head.length < 12 || !['RIFF', 'RIFX', 'RF64'].includes(magic) || ascii(head, 8) !== 'WAVE') {
    throw new WavError(`no RIFF/WAVE header (the file begins with ${printable(head.subarray(0, 12))})`);
  }
  const little = magic !== 'RIFX';
  let format: Format | null = null;
  let factFrames: number | null = null;
  for (let at = 12; ;) {
    const chunk = source.read(at, 8);
    if (chunk.length < 8) {
      throw new WavError(
        `${format === null ? 'no fmt chunk' : 'no data chunk'} before the end at byte ${source.size}`,
      );
    }
    const name = ascii(chunk, 0);
    const size = view(chunk).getUint32(4, little);
    if (name === 'fmt ') format = readFormat(source.read(at + 8, Math.min(size, 40)), at, little);
    if (name === 'fact' && size >= 4) factFrames = readFact(source.read(at + 8, 4), little);
    if (name === 'data') {
      if (format === null) throw new WavError(`the data chunk at byte ${at} comes before any fmt chunk`);
      return finish(source.size, at + 8, size, format, factFrames, !little);
    }
    at += 8 + size + (size % 2);
  }
}

interface Format {
  readonly formatTag: number;
  readonly channels: number;
  readonly sampleRate: number;
  readonly byteRate: number;
  readonly blockAlign: number;
  readonly bitsPerSample: number;
}

function readFormat(bytes: Uint8Array, at: number, little: boolean): Format {
  if (bytes.length < 16)
    throw new WavError(`the fmt chunk at byte ${at} has ${bytes.length} bytes, expected 16 or more`);
  const v = view(bytes);
  const tag = v.getUint16(0, little);
  const format = {
    // the sub-format is a GUID that begins with the plain format tag
    formatTag: tag === EXTENSIBLE && bytes.length >= 26 ? v.getUint16(24, little) : tag,
    channels: v.getUint16(2, little),
    sampleRate: v.getUint32(4, little),
    byteRate: v.getUint32(8, little),
    blockAlign: v.getUint16(12, little),
    bitsPerSample: v.getUint16(14, little),
  };
  if (format.channels === 0 || format.sampleRate === 0 || format.blockAlign === 0) {
    throw new WavError(
      `the fmt chunk at byte ${at} says ${format.channels} channels, ${format.sampleRate} Hz, ${format.blockAlign} bytes a block`,
    );
  }
  return format;
}

function readFact(bytes: Uint8Array, little: boolean): number | null {
  return bytes.length < 4 ? null : view(bytes).getUint32(0, little);
}

function finish(
  fileSize: number,
  dataOffset: number,
  declared: number,
  format: Format,
  factFrames: number | null,
  bigEndian: boolean,
): WavHeader {
  const present = Math.max(0, fileSize - dataOffset);
  const open = declared >= UNKNOWN_SIZE || declared === 0;
  const dataBytes = open ? present : Math.min(declared, present);
  const coding = CODINGS.get(format.formatTag) ?? 'other';
  const blockAlign = coding === 'other' ? format.blockAlign : consistentBlock(format);
  const blocks = Math.floor(dataBytes / blockAlign);
  const bytesAsSeconds = format.byteRate === 0 ? 0 : dataBytes / format.byteRate;
  const frames = coding === 'other' ? (factFrames ?? Math.round(bytesAsSeconds * format.sampleRate)) : blocks;
  return {
    coding,
    formatTag: format.formatTag,
    channels: format.channels,
    sampleRate: format.sampleRate,
    bitsPerSample: format.bitsPerSample,
    blockAlign,
    bigEndian,
    dataOffset,
    dataBytes,
    frames,
    truncated: !open && declared > present,
  };
}

/** Bytes of one sample of all channels; where the header's cannot hold them, what they need (as libsndfile does). */
function consistentBlock({ blockAlign, channels, bitsPerSample }: Format): number {
  const needed = channels * Math.max(1, Math.ceil(bitsPerSample / 8));
  return blockAlign % channels === 0 && blockAlign >= needed ? blockAlign : needed;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function ascii(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function printable(bytes: Uint8Array): string {
  return `'${String.fromCharCode(...bytes).replaceAll(/[^\x20-\x7e]/g, '?')}'`;
}
