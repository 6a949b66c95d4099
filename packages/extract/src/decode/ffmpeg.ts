import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { byteSource, readWavHeader } from '@lsgmer/datasets';
import { mixToMono } from './mix.ts';
import { type Clip, ClipError, type Decoding, checkSamples, readLimit } from './policy.ts';

/** One decoded clip, or why there is none. */
export type Decoded = { readonly samples: Float32Array } | { readonly reason: string };

/** File descriptors 0 to 2 are the standard streams; each clip comes out of one after them. */
const FIRST_PIPE = 3;

/**
 * Decodes several whole recordings with one ffmpeg process: its start costs as much as decoding ten short clips. A bad clip
 * ends the process, so when it fails, each clip is tried alone and only the bad ones are lost.
 *
 * @param binary path of ffmpeg
 * @throws the signal's reason when it is aborted, and errors of starting the process
 */
export async function decodeTogether(
  binary: string,
  clips: readonly Clip[],
  decoding: Decoding,
  signal?: AbortSignal,
): Promise<Decoded[]> {
  const { code, outputs, errors } = await runFfmpeg(binary, clips, decoding, signal);
  if (code === 0) return clips.map((_, i) => settle(outputs[i] as Buffer, decoding));
  if (clips.length === 1)
    return [{ reason: `ffmpeg: ${lastLine(errors, clips[0] as Clip) || `exit code ${code}`}` }];
  const alone: Decoded[] = [];
  for (const clip of clips) alone.push(...(await decodeTogether(binary, [clip], decoding, signal)));
  return alone;
}

interface Finished {
  readonly code: number | null;
  readonly outputs: readonly Buffer[];
  readonly errors: string;
}

async function runFfmpeg(
  binary: string,
  clips: readonly Clip[],
  decoding: Decoding,
  signal?: AbortSignal,
): Promise<Finished> {
  signal?.throwIfAborted();
  const child = spawn(binary, argumentsFor(clips, decoding), {
    stdio: ['ignore', 'ignore', 'pipe', ...clips.map(() => 'pipe' as const)],
    windowsHide: true,
  });
  const stop = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const closed = once(child, 'close') as Promise<[number | null]>;
    const outputs = clips.map((_, i) => collect(child.stdio[FIRST_PIPE + i] as Readable));
    const errors = collect(child.stderr as Readable);
    const [[code], told, decoded] = await Promise.all([closed, errors, Promise.all(outputs)]);
    signal?.throwIfAborted();
    return { code, errors: told.toString('utf8'), outputs: decoded };
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** All that a stream gives. */
export async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** -xerror: damaged data ends the process instead of becoming a shorter clip. */
export const COMMON = ['-nostdin', '-hide_banner', '-loglevel', 'error', '-xerror'];

/**
 * Output of mono floats. -rematrix_maxval 1: the weights of a downmix add up to 1, as they do when ffmpeg writes
 * integers; for floats it leaves them at 1.41 (stereo).
 */
export const DOWNMIX = ['-ac', '1', '-rematrix_maxval', '1', '-f', 'f32le'];
/** Output of all channels as floats, with a WAV header. */
export const ALL_CHANNELS = ['-c:a', 'pcm_f32le', '-bitexact', '-f', 'wav'];

function argumentsFor(clips: readonly Clip[], decoding: Decoding): string[] {
  const args = [...COMMON];
  const limit = readLimit(decoding.length);
  for (const { path } of clips) args.push('-i', `file:${path}`);
  const format = decoding.channels === 'downmix' ? DOWNMIX : ALL_CHANNELS;
  clips.forEach((_, i) => {
    args.push(
      '-map',
      `${i}:a:0`,
      '-t',
      String(limit),
      '-ar',
      String(decoding.sampleRate),
      ...format,
      `pipe:${FIRST_PIPE + i}`,
    );
  });
  return args;
}

function settle(output: Buffer, decoding: Decoding): Decoded {
  try {
    return { samples: checkSamples(toMono(output, decoding), decoding) };
  } catch (error) {
    if (error instanceof ClipError) return { reason: error.message };
    throw error;
  }
}

function toMono(output: Buffer, decoding: Decoding): Float32Array {
  if (decoding.channels === 'downmix') return floats(output);
  const { channels, dataOffset, dataBytes } = readWavHeader(byteSource(output));
  const samples = floats(output.subarray(dataOffset, dataOffset + dataBytes));
  return mixToMono(samples, channels, decoding.channels, speakerMask(output, channels)) as Float32Array;
}

/**
 * Speaker positions in a WAV of ffmpeg's: it writes more than two channels with an extensible header, the speakers 20
 * bytes into its fmt chunk.
 */
export function speakerMask(wav: Buffer, channels: number): number {
  return channels > 2 ? wav.readUInt32LE(wav.indexOf('fmt ', 0, 'latin1') + 8 + 20) : 0;
}

/** Copies, since the bytes need not lie at a multiple of four. */
export function floats(bytes: Buffer): Float32Array {
  const count = Math.floor(bytes.length / 4);
  const out = new Float32Array(count);
  new Uint8Array(out.buffer).set(bytes.subarray(0, 4 * count));
  return out;
}

/** ffmpeg's last word on a clip, without its path and its addresses. */
export function lastLine(errors: string, clip: Clip): string {
  const lines = errors
    .replaceAll(`file:${clip.path}`, 'input')
    .replaceAll(clip.path, 'input')
    .split('\n')
    .map((line) => line.replace(/^\[[^\]]* @ 0x[0-9a-f]+\] /, '').trim())
    .filter((line) => line !== '' && !/^(Conversion failed!|Error while filtering)/.test(line));
  return (lines.at(-1) ?? '').slice(0, 200);
}
