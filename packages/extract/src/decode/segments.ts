import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { byteSource, readWavHeader, WavError } from '@lsgmer/datasets';
import {
  ALL_CHANNELS,
  COMMON,
  collect,
  type Decoded,
  DOWNMIX,
  floats,
  lastLine,
  speakerMask,
} from './ffmpeg.ts';
import { mixToMono, pickChannel } from './mix.ts';
import { type Clip, ClipError, type Decoding, checkSamples, readLimit, segmentSamples } from './policy.ts';

/** ffmpeg finds any sample of these exactly; elsewhere (MP3, AAC) a decoder that starts in the middle differs. */
const EXACT_SEEK = /\.(wave?|flac)$/i;
/** Seconds that are decoded before a segment, so that the resampler is in full swing when it begins. */
const RUN_UP = 1;
/** Gaps between segments that are longer than this, in seconds, are not worth decoding where seeking is exact. */
const GAP = 30;
/** Bytes that hold the header that ffmpeg writes, and more. */
const HEADER_BYTES = 512;

/**
 * Decodes segments (or single channels) of one recording with one ffmpeg process. Each is exactly what a slice of the
 * whole decoded recording would be, from sample round(rate start) to before round(rate end): the recording is
 * decoded and resampled from its beginning (in PCM and FLAC from a whole second shortly before, which gives the same
 * samples), and what lies between is passed over, never held. When the process fails, each is tried alone.
 *
 * @param clips of one path; either all of them name a channel or none does
 * @throws the signal's reason when it is aborted, and errors of starting the process
 */
export async function decodeSegments(
  binary: string,
  clips: readonly Clip[],
  decoding: Decoding,
  signal?: AbortSignal,
): Promise<Decoded[]> {
  const results: Decoded[] = Array.from({ length: clips.length });
  for (const group of clusters(clips, readLimit(decoding.length))) {
    const members = group.map((i) => clips[i] as Clip);
    const decoded = await decodeCluster(binary, members, decoding, signal);
    group.forEach((i, at) => (results[i] = decoded[at] as Decoded));
  }
  return results;
}

/** Indices of segments that are decoded in one go, by start. */
function clusters(clips: readonly Clip[], maxSeconds: number): number[][] {
  const order = clips.map((_, i) => i).sort((a, b) => startOf(clips[a] as Clip) - startOf(clips[b] as Clip));
  const groups: number[][] = [];
  let end = 0;
  for (const i of order) {
    const clip = clips[i] as Clip;
    const last = groups.at(-1);
    if (last === undefined || (EXACT_SEEK.test(clip.path) && startOf(clip) > end + GAP)) groups.push([i]);
    else last.push(i);
    end = Math.max(end, Math.min(clip.end ?? Infinity, startOf(clip) + maxSeconds));
  }
  return groups;
}

function startOf(clip: Clip): number {
  return clip.start ?? 0;
}

async function decodeCluster(
  binary: string,
  clips: readonly Clip[],
  decoding: Decoding,
  signal: AbortSignal | undefined,
): Promise<Decoded[]> {
  const [first] = clips as [Clip];
  const { sampleRate } = decoding;
  const mono = decoding.channels === 'downmix' && first.channel === undefined;
  const wanted = clips.map((clip) => segmentSamples(clip, decoding));
  const seek = EXACT_SEEK.test(first.path) ? Math.max(0, Math.floor(startOf(first)) - RUN_UP) : 0;
  const ranges = wanted.map((one) => ({ from: one.first - seek * sampleRate, count: one.count }));
  const last = Math.max(...ranges.map(({ from, count }) => from + count));
  const args = [...COMMON, ...(seek === 0 ? [] : ['-ss', String(seek)]), '-i', `file:${first.path}`];
  args.push('-map', '0:a:0', '-t', String(last / sampleRate + 0.1), '-ar', String(sampleRate));
  args.push(...(mono ? DOWNMIX : ALL_CHANNELS), 'pipe:1');
  const cutter = new Cutter(ranges, mono ? 1 : null);
  const { code, errors } = await stream(binary, args, cutter, signal);
  if (code === 0) return clips.map((clip, i) => settle(clip, cutter, i, seek, decoding));
  if (clips.length === 1) return [{ reason: `ffmpeg: ${lastLine(errors, first) || `exit code ${code}`}` }];
  const alone: Decoded[] = [];
  for (const clip of clips) alone.push(...(await decodeCluster(binary, [clip], decoding, signal)));
  return alone;
}

async function stream(
  binary: string,
  args: readonly string[],
  cutter: Cutter,
  signal: AbortSignal | undefined,
): Promise<{ code: number | null; errors: string }> {
  signal?.throwIfAborted();
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
  const stop = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const closed = once(child, 'close') as Promise<[number | null]>;
    const errors = collect(child.stderr);
    const cutting = (async () => {
      for await (const chunk of child.stdout) cutter.push(chunk as Buffer);
      cutter.end();
    })();
    const [[code], told] = await Promise.all([closed, errors, cutting]);
    signal?.throwIfAborted();
    return { code, errors: told.toString('utf8') };
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

function settle(clip: Clip, cutter: Cutter, i: number, seek: number, decoding: Decoding): Decoded {
  try {
    const samples = floats(Buffer.concat(cutter.pieces[i] ?? []));
    if (samples.length === 0) {
      const bounds = `the segment ${startOf(clip)} to ${clip.end ?? 'the end'} s holds no samples`;
      const seconds = seek + cutter.frames / decoding.sampleRate;
      throw new ClipError(seconds > startOf(clip) ? bounds : `${bounds}: the recording has ${seconds} s`);
    }
    return { samples: checkSamples(toMono(samples, clip, cutter, decoding), decoding) };
  } catch (error) {
    if (error instanceof ClipError) return { reason: error.message };
    throw error;
  }
}

function toMono(samples: Float32Array, clip: Clip, cutter: Cutter, decoding: Decoding): Float32Array {
  const { channels, mask } = cutter;
  if (clip.channel !== undefined) return pickChannel(samples, channels, clip.channel);
  return decoding.channels === 'downmix'
    ? samples
    : (mixToMono(samples, channels, decoding.channels, mask) as Float32Array);
}

/** Keeps what lies in the given ranges of a stream of float frames, with a WAV header before them or without one. */
class Cutter {
  /** For each range, in order. */
  readonly pieces: Buffer[][];
  channels = 1;
  mask = 0;
  private readonly ranges: readonly { readonly from: number; readonly count: number }[];
  /** Bytes that have come before the header was whole; null after that. */
  private head: Buffer | null;
  /** Bytes of sound that have come. */
  private at = 0;

  /** @param channels of a stream without a header; null: a header says so */
  constructor(ranges: readonly { readonly from: number; readonly count: number }[], channels: number | null) {
    this.ranges = ranges;
    this.pieces = ranges.map(() => []);
    this.head = channels === null ? Buffer.alloc(0) : null;
    this.channels = channels ?? 1;
  }

  /** Frames that have come. */
  get frames(): number {
    return Math.floor(this.at / (4 * this.channels));
  }

  push(chunk: Buffer): void {
    if (this.head === null) return this.cut(chunk);
    this.head = Buffer.concat([this.head, chunk]);
    if (this.head.length >= HEADER_BYTES) this.readHeader(this.head);
  }

  /** The stream is over: what is left of a short one is taken. */
  end(): void {
    if (this.head !== null && this.head.length > 0) this.readHeader(this.head);
  }

  private readHeader(bytes: Buffer): void {
    let offset: number;
    try {
      const header = readWavHeader(byteSource(bytes));
      offset = header.dataOffset;
      this.channels = header.channels;
      this.mask = speakerMask(bytes, header.channels);
    } catch (error) {
      // a process that failed at once: its exit code is what is told
      if (error instanceof WavError) return;
      throw error;
    }
    this.head = null;
    this.cut(bytes.subarray(offset));
  }

  private cut(bytes: Buffer): void {
    const frame = 4 * this.channels;
    this.ranges.forEach(({ from, count }, i) => {
      const start = Math.max(0, from * frame - this.at);
      const end = Math.min(bytes.length, (from + count) * frame - this.at);
      if (start < end) this.pieces[i]?.push(Buffer.from(bytes.subarray(start, end)));
    });
    this.at += bytes.length;
  }
}
