import { readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { HeaderError } from './header-error.ts';
import { readMp4Header } from './mp4-header.ts';
import { readSphereHeader, SPHERE_HEADER_BYTES, SPHERE_MAGIC } from './sphere-header.ts';
import { readWavHeader } from './wav-header.ts';

/** What the header of a recording tells of its first audio stream; null where it does not. */
export interface MediaHeader {
  readonly seconds: number | null;
  /** In Hz. */
  readonly sampleRate: number | null;
  readonly channels: number | null;
  readonly truncated?: true;
  /** Why nothing was read, where the format is not one that is known. */
  readonly unread?: string;
}

/** One read of this size holds the header of most files. */
const WINDOW = 4096;
/** RFC 7845: Opus always decodes at 48 kHz; the rate in its header is that of the sound before it was encoded. */
const OPUS_RATE = 48000;

/** Formats of which the library reads every header: one without sound is damaged. Of others it reads some only. */
const FULLY_READ = /\.(mp3|flac|ogg|oga|opus)$/i;
const UNREAD = { seconds: null, sampleRate: null, channels: null } as const;

/**
 * Reads the header of a recording: WAV, MP4 and SPHERE by our own readers, all else by music-metadata. Only headers
 * are read, not the sound.
 * @param file its path, for the library; `handle` is the same file, open.
 * @throws HeaderError where it cannot be decoded; the file system's error.
 */
export async function readMediaHeader(file: string, handle: FileHandle, size: number): Promise<MediaHeader> {
  const source = windowed(handle, size);
  const start = await source.read(0, Math.min(size, WINDOW));
  if (startsWith(start, SPHERE_MAGIC)) return readSphereHeader(start.subarray(0, SPHERE_HEADER_BYTES));
  if (/\.wave?$/i.test(file)) return wavFacts(start, handle, size);
  if (/\.(mp4|m4[abv]|mov|3gp)$/i.test(file)) {
    const { truncated, ...header } = await readMp4Header(source);
    // how much of the sound is there cannot be told from the header
    return truncated ? { ...header, seconds: null, truncated } : header;
  }
  return readOther(file);
}

function wavFacts(start: Uint8Array, handle: FileHandle, size: number): MediaHeader {
  const { sampleRate, channels, frames, truncated } = readWavHeader({
    size,
    read(offset, length) {
      if (offset + length <= start.length) return start.subarray(offset, offset + length);
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, readSync(handle.fd, bytes, 0, length, offset));
    },
  });
  const facts = { seconds: frames / sampleRate, sampleRate, channels };
  return truncated ? { ...facts, truncated } : facts;
}

async function readOther(file: string): Promise<MediaHeader> {
  // loaded when the first such file turns up: most corpora have none
  const { parseFile, CouldNotDetermineFileTypeError, UnsupportedFileTypeError } =
    await import('music-metadata');
  let format;
  try {
    ({ format } = await parseFile(file, { duration: false, skipCovers: true }));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== undefined) throw error;
    const unknown =
      error instanceof CouldNotDetermineFileTypeError || error instanceof UnsupportedFileTypeError;
    if (unknown) return { ...UNREAD, unread: 'a format of another kind' };
    throw new HeaderError((error as Error).message);
  }
  const { duration, sampleRate, numberOfChannels, codec } = format;
  if (sampleRate === undefined || !(sampleRate > 0)) {
    if (FULLY_READ.test(file)) throw new HeaderError('no sound in it');
    return { ...UNREAD, unread: `${format.container ?? 'a header'} without its rate` };
  }
  return {
    seconds: duration === undefined || !Number.isFinite(duration) ? null : duration,
    sampleRate: codec === 'Opus' ? OPUS_RATE : Math.round(sampleRate),
    channels: numberOfChannels === undefined || numberOfChannels < 1 ? null : numberOfChannels,
  };
}

/** Reads through a window, so that small reads which lie together cost one. */
function windowed(handle: FileHandle, size: number) {
  let window: Uint8Array = new Uint8Array(0);
  let from = 0;
  const load = async (offset: number, length: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, offset);
    return bytes.subarray(0, bytesRead);
  };
  return {
    size,
    async read(offset: number, length: number): Promise<Uint8Array> {
      const end = Math.min(size, offset + length);
      if (offset < from || end > from + window.length) {
        if (length > WINDOW) return load(offset, length);
        window = await load(offset, WINDOW);
        from = offset;
      }
      return window.subarray(offset - from, end - from);
    },
  };
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes.subarray(0, text.length)).toString('latin1') === text;
}
