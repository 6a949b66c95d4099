import pLimit from 'p-limit';
import { type Decoded, decodeTogether } from './ffmpeg.ts';
import type { Ffmpeg } from './ffmpeg-binary.ts';
import { type Clip, ClipError, type Decoding, type DecodePolicy, isSegment } from './policy.ts';
import { decodeSegments } from './segments.ts';
import { readWav } from './wav.ts';

export interface DecodeOptions {
  readonly policy: DecodePolicy;
  /** In Hz: what the encoder takes. */
  readonly sampleRate: number;
  /** Asked for only when a clip is not a PCM WAV of that rate; throws a UserError where there is none. */
  readonly ffmpeg: (why: string) => Promise<Ffmpeg>;
  /** ffmpeg processes at a time. */
  readonly processes: number;
  readonly clipsPerProcess?: number;
  readonly signal?: AbortSignal;
}

/** Between 16 and 32 the start of the process no longer matters. */
const CLIPS_PER_PROCESS = 24;
const OPEN_FILES = 8;

/**
 * Decodes clips to mono waveforms at one rate: our own reader takes PCM WAVs that have it, ffmpeg resamples the rest.
 *
 * @returns for each clip in order its samples [n], n > 0, or the reason why it cannot be used
 * @throws UserError when ffmpeg is needed and absent; the signal's reason when it is aborted
 */
export async function decodeClips(clips: readonly Clip[], options: DecodeOptions): Promise<Decoded[]> {
  const { sampleRate, signal, processes, clipsPerProcess = CLIPS_PER_PROCESS } = options;
  const decoding = { ...options.policy, sampleRate };
  const files = pLimit(OPEN_FILES);
  const results: (Decoded | undefined)[] = await Promise.all(
    clips.map((clip) => files(() => readOwn(clip, decoding, signal))),
  );
  const foreign = results.flatMap((result, i) => (result === undefined ? [i] : []));
  if (foreign.length === 0) return results as Decoded[];

  const first = clips[foreign[0] as number] as Clip;
  const what = foreign.length === 1 ? 'is' : `and ${foreign.length - 1} more are`;
  const { path: binary } = await options.ffmpeg(`${first.path} ${what} not ${sampleRate / 1000} kHz PCM WAV`);
  const limit = pLimit(processes);
  await Promise.all(
    groupsOf(clips, foreign, clipsPerProcess).map(({ members, decode }) =>
      limit(async () => {
        const decoded = await decode(
          binary,
          members.map((i) => clips[i] as Clip),
          decoding,
          signal,
        );
        members.forEach((i, at) => (results[i] = decoded[at]));
      }),
    ),
  );
  return results as Decoded[];
}

interface Group {
  /** Indices of clips. */
  readonly members: readonly number[];
  readonly decode: typeof decodeTogether;
}

/** Whole recordings by number, segments by recording: one is decoded once for all its segments. */
function groupsOf(clips: readonly Clip[], chosen: readonly number[], perProcess: number): Group[] {
  const whole = chosen.filter((i) => !isSegment(clips[i] as Clip));
  const groups: Group[] = Array.from({ length: Math.ceil(whole.length / perProcess) }, (_, g) => ({
    members: whole.slice(g * perProcess, (g + 1) * perProcess),
    decode: decodeTogether,
  }));
  const recordings = new Map<string, number[]>();
  for (const i of chosen) {
    const clip = clips[i] as Clip;
    if (!isSegment(clip)) continue;
    const key = `${clip.channel === undefined ? 'mixed' : 'channel'} ${clip.path}`;
    const known = recordings.get(key);
    if (known === undefined) recordings.set(key, [i]);
    else known.push(i);
  }
  return [...groups, ...[...recordings.values()].map((members) => ({ members, decode: decodeSegments }))];
}

async function readOwn(clip: Clip, decoding: Decoding, signal?: AbortSignal): Promise<Decoded | undefined> {
  signal?.throwIfAborted();
  try {
    const samples = await readWav(clip, decoding);
    return samples === undefined ? undefined : { samples };
  } catch (error) {
    if (error instanceof ClipError) return { reason: error.message };
    throw error;
  }
}
