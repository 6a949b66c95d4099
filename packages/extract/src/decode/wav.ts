import { type FileHandle, open } from 'node:fs/promises';
import { readSync } from 'node:fs';
import { type WavHeader, WavError, readWavHeader } from '@lsgmer/datasets';
import { mixToMono, pickChannel } from './mix.ts';
import { type Clip, ClipError, type Decoding, checkSamples, segmentSamples } from './policy.ts';

/**
 * Reads a PCM WAV of the wanted rate (8, 16, 24, 32 bit integers, 32 bit float; plain or extensible header) without ffmpeg.
 * A WAV whose structure is damaged is refused here and not handed on: ffmpeg would take what is left of it
 * without a word.
 *
 * @returns the mono waveform [n], or undefined when the file is of another kind and ffmpeg has to read it
 * @throws ClipError when the file is missing, damaged or holds nothing
 */
export async function readWav(clip: Clip, decoding: Decoding): Promise<Float32Array | undefined> {
  const file = await openFile(clip.path);
  try {
    const { size } = await file.stat();
    if (size === 0) throw new ClipError('a file of 0 bytes');
    const magic = await readBytes(file, 0, 4);
    if (magic.toString('latin1') !== 'RIFF') return undefined;
    const header = headerOf(file, size);
    if (header.truncated) {
      throw new ClipError(
        `the file ends early: ${header.frames} samples are there, its header promises more`,
      );
    }
    if (header.frames === 0) throw new ClipError('a WAV of 0 samples');
    const decode = decoderOf(header);
    if (decode === undefined || header.sampleRate !== decoding.sampleRate) return undefined;
    const { first, count } = bounds(clip, header.frames, decoding);
    const bytes = await readBytes(
      file,
      header.dataOffset + first * header.blockAlign,
      count * header.blockAlign,
    );
    const samples = decode(bytes);
    if (clip.channel !== undefined) {
      return checkSamples(pickChannel(samples, header.channels, clip.channel), decoding);
    }
    const mono = mixToMono(samples, header.channels, decoding.channels);
    // A centre channel can only be told by the speaker positions, which ffmpeg reads.
    if (mono === undefined || (decoding.channels === 'center' && header.channels > 2)) return undefined;
    return checkSamples(mono, decoding);
  } finally {
    await file.close();
  }
}

async function openFile(path: string): Promise<FileHandle> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new ClipError('the file is missing');
    if (code === 'EACCES') throw new ClipError('the file may not be read (permission denied)');
    if (code === 'EMFILE' || code === 'ENFILE') throw error;
    throw new ClipError(`the file cannot be opened (${message})`);
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new ClipError('not a file');
}

function headerOf(file: FileHandle, size: number): WavHeader {
  const read = (offset: number, length: number): Uint8Array => {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - offset)));
    return bytes.subarray(0, bytes.length === 0 ? 0 : readSync(file.fd, bytes, 0, bytes.length, offset));
  };
  try {
    return readWavHeader({ size, read });
  } catch (error) {
    if (error instanceof WavError) throw new ClipError(`a damaged WAV: ${error.message}`);
    throw error;
  }
}

async function readBytes(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await file.read(bytes, at, length - at, offset + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes.subarray(0, at);
}

/** Samples of the segment, cut where the length policy ends. */
function bounds(clip: Clip, frames: number, decoding: Decoding): { first: number; count: number } {
  const { first, count } = segmentSamples(clip, decoding, frames);
  if (count === 0) {
    throw new ClipError(
      `the segment ${clip.start ?? 0} to ${clip.end ?? 'the end'} s holds no samples: the recording has ${frames / decoding.sampleRate} s`,
    );
  }
  return { first, count };
}

type SampleDecoder = (bytes: Buffer) => Float32Array;

/** Full scale is 1, as ffmpeg's float formats have it. */
const DECODERS: Readonly<Record<string, SampleDecoder>> = {
  pcm8: (bytes) => Float32Array.from(bytes, (byte) => (byte - 128) / 128),
  pcm16: (bytes) => each(bytes, 2, (at) => bytes.readInt16LE(at) / 2 ** 15),
  pcm24: (bytes) => each(bytes, 3, (at) => bytes.readIntLE(at, 3) / 2 ** 23),
  pcm32: (bytes) => each(bytes, 4, (at) => bytes.readInt32LE(at) / 2 ** 31),
  float32: (bytes) => each(bytes, 4, (at) => bytes.readFloatLE(at)),
};

function decoderOf(header: WavHeader): SampleDecoder | undefined {
  const { bigEndian, blockAlign, channels, coding, bitsPerSample } = header;
  if (bigEndian || blockAlign * 8 !== channels * bitsPerSample) return undefined;
  return DECODERS[`${coding}${bitsPerSample}`];
}

function each(bytes: Buffer, size: number, value: (at: number) => number): Float32Array {
  const out = new Float32Array(Math.floor(bytes.length / size));
  for (let i = 0; i < out.length; i++) out[i] = value(i * size);
  return out;
}
