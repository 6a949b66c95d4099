import { readAacConfig } from './aac-config.ts';
import { HeaderError } from './header-error.ts';
import { BOX_HEADER_BYTES, boxesIn, findBox, readBoxHeader, typeAt } from './mp4-boxes.ts';

/** Random access to a file's bytes without blocking. */
export interface AsyncByteSource {
  readonly size: number;
  /** The bytes from `offset`, as many as `length` or as the file has. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** What the first audio stream of an MP4 is. */
export interface Mp4Header {
  /** Null where a fragmented file does not tell. */
  readonly seconds: number | null;
  /** In Hz; null where the codec's own header is not read here. */
  readonly sampleRate: number | null;
  readonly channels: number | null;
  /** The file ends before the media data that it promises. */
  readonly truncated: boolean;
}

/** Types with which an MP4 or QuickTime file begins. */
const FIRST = new Set(['ftyp', 'styp', 'moov', 'mdat', 'free', 'skip', 'wide', 'pnot', 'uuid']);
/** A table of contents beyond this is taken for damage. */
const LARGEST_MOVIE = 64 << 20;
/** Boxes of a fragmented file that are looked at for its end. */
const MOST_BOXES = 10_000;

/**
 * Reads length, rate and channels of the first audio stream of an MP4, M4A or MOV file (ISO/IEC 14496-12): a few small
 * reads and the `moov` box, wherever it lies. AAC's rate and channels come from its AudioSpecificConfig in `esds`,
 * since sample entries say 2 channels for 5.1 as well. The length is that of the media itself (`mdhd`), encoder delay
 * included.
 * @throws HeaderError where the file is no MP4, has no `moov` or no audio stream, or is damaged.
 */
export async function readMp4Header(source: AsyncByteSource): Promise<Mp4Header> {
  const { movie, end } = await findMovie(source);
  try {
    return { ...readMovie(view(movie)), truncated: end > source.size };
  } catch (error) {
    if (error instanceof RangeError) throw new HeaderError('a moov box that is damaged');
    throw error;
  }
}

/** The content of `moov`, and the byte at which the last box should end. */
async function findMovie(source: AsyncByteSource): Promise<{ movie: Uint8Array; end: number }> {
  let movie: Uint8Array | null = null;
  let at = 0;
  for (let boxes = 0; at < source.size && boxes < MOST_BOXES; boxes++) {
    const head = readBoxHeader(await source.read(at, BOX_HEADER_BYTES));
    if (at === 0 && (head === null || !FIRST.has(head.type))) {
      throw new HeaderError(`no MP4 header (the file begins with ${printable(await source.read(0, 12))})`);
    }
    if (head === null || !/^[\x20-\x7e\xa9]{4}$/.test(head.type)) break;
    const size = head.size === 0 ? source.size - at : head.size;
    if (head.type === 'moov') {
      if (at + size > source.size || size > LARGEST_MOVIE) {
        throw new HeaderError(
          `a moov box of ${size} bytes at byte ${at}, but the file ends at byte ${source.size}`,
        );
      }
      movie = await source.read(at + head.header, size - head.header);
    }
    at += size;
  }
  if (movie === null) {
    throw new HeaderError(
      `no moov box before the end at byte ${source.size}: cut short, or never finished by its writer`,
    );
  }
  return { movie, end: at };
}

function readMovie(movie: DataView): Omit<Mp4Header, 'truncated'> {
  const kinds: string[] = [];
  for (const { type, body } of boxesIn(movie)) {
    if (type !== 'trak') continue;
    const media = findBox(body, 'mdia');
    const handler = media === null ? null : findBox(media, 'hdlr');
    const kind = handler === null ? 'unknown' : typeAt(handler, 8);
    kinds.push(kind);
    if (media !== null && kind === 'soun') return readSound(movie, media);
  }
  const streams = kinds.length === 0 ? 'no stream at all' : `streams: ${kinds.join(', ')}`;
  throw new HeaderError(`no audio stream (${streams})`);
}

function readSound(movie: DataView, media: DataView): Omit<Mp4Header, 'truncated'> {
  const header = findBox(media, 'mdhd');
  const description = findBox(media, 'minf', 'stbl', 'stsd');
  if (header === null || description === null)
    throw new HeaderError('an audio stream without mdhd or stsd box');
  const { timescale, duration } = readTimes(header);
  if (timescale === 0) throw new HeaderError('an audio stream of timescale 0');
  const ticks = duration ?? tableDuration(media);
  const seconds = ticks === 0 ? fragmentSeconds(movie) : ticks / timescale;
  return { seconds, ...readEntry(description) };
}

/** `mdhd`: ticks a second, and the length in ticks; null where the writer did not know it. */
function readTimes(header: DataView): { timescale: number; duration: number | null } {
  const long = header.getUint8(0) === 1;
  const timescale = header.getUint32(long ? 20 : 12);
  const duration = long ? Number(header.getBigUint64(24)) : header.getUint32(16);
  const unknown = duration === 0 || duration >= (long ? 2 ** 63 : 0xffffffff);
  return { timescale, duration: unknown ? null : duration };
}

/** Length in ticks by the table of sample times, `stts`. */
function tableDuration(media: DataView): number {
  const table = findBox(media, 'minf', 'stbl', 'stts');
  if (table === null) return 0;
  let ticks = 0;
  for (let i = 0; i < table.getUint32(4); i++) {
    ticks += table.getUint32(8 + 8 * i) * table.getUint32(12 + 8 * i);
  }
  return ticks;
}

/** A fragmented file (`mvex`) may tell its length in ticks of the movie; null where it does not, 0 for an empty one. */
function fragmentSeconds(movie: DataView): number | null {
  if (findBox(movie, 'mvex') === null) return 0;
  const whole = findBox(movie, 'mvex', 'mehd');
  const header = findBox(movie, 'mvhd');
  if (whole === null || header === null) return null;
  const ticks = whole.getUint8(0) === 1 ? Number(whole.getBigUint64(4)) : whole.getUint32(4);
  return ticks / readTimes(header).timescale;
}

/** Codecs whose sample entry tells rate and channels truly. */
const PLAIN = new Set([
  'mp4a',
  'alac',
  'Opus',
  'fLaC',
  'sowt',
  'twos',
  'ipcm',
  'lpcm',
  'raw ',
  'ulaw',
  'alaw',
]);

function readEntry(description: DataView): Pick<Mp4Header, 'sampleRate' | 'channels'> {
  for (const { type, body } of boxesIn(description, 8)) {
    const version = body.getUint16(8);
    // QuickTime's later versions of the entry are longer
    const inner = version === 1 ? 44 : version === 2 ? 64 : 28;
    const config = findConfig(body, inner);
    if (config !== null) return readAacConfig(config);
    if (!PLAIN.has(type)) return { sampleRate: null, channels: null };
    if (version === 2) return { sampleRate: Math.round(body.getFloat64(32)), channels: body.getUint32(40) };
    return { sampleRate: body.getUint16(24) || null, channels: body.getUint16(16) || null };
  }
  throw new HeaderError('an audio stream without a sample entry');
}

/** The AudioSpecificConfig of a sample entry, in `esds` or (QuickTime) `wave/esds`; null for other codecs. */
function findConfig(entry: DataView, from: number): Uint8Array | null {
  for (const { type, body } of boxesIn(entry, from)) {
    const esds = type === 'esds' ? body : type === 'wave' ? findBox(body, 'esds') : null;
    if (esds !== null) return readElementaryStream(esds);
  }
  return null;
}

/** Object types (ISO/IEC 14496-1, table 5) that are AAC: MPEG-4 audio, and MPEG-2's three profiles. */
const AAC = new Set([0x40, 0x66, 0x67, 0x68]);

/** `esds` (ISO/IEC 14496-14, 5.6): descriptors 3, 4 and 5 lie in each other. */
function readElementaryStream(esds: DataView): Uint8Array | null {
  const stream = readDescriptor(esds, 4, 3);
  const flags = esds.getUint8(stream + 2);
  let at = stream + 3;
  if ((flags & 0x80) !== 0) at += 2; // depends on another stream
  if ((flags & 0x40) !== 0) at += 1 + esds.getUint8(at); // address
  if ((flags & 0x20) !== 0) at += 2; // clock reference
  const decoder = readDescriptor(esds, at, 4);
  if (!AAC.has(esds.getUint8(decoder))) return null;
  const config = readDescriptor(esds, decoder + 13, 5);
  return new Uint8Array(esds.buffer, esds.byteOffset + config, esds.byteLength - config);
}

/** @returns where the content of the descriptor at `at` begins; its length is in groups of 7 bits. */
function readDescriptor(esds: DataView, at: number, tag: number): number {
  if (esds.getUint8(at) !== tag)
    throw new HeaderError(`an esds box without descriptor ${tag} at its byte ${at}`);
  let from = at + 1;
  while ((esds.getUint8(from) & 0x80) !== 0) from++;
  return from + 1;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function printable(bytes: Uint8Array): string {
  return `'${String.fromCharCode(...bytes).replaceAll(/[^\x20-\x7e]/g, '?')}'`;
}
