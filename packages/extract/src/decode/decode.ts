import pLimit from 'p-limit';
import { type Decoded, decodeTogether } from './ffmpeg.ts';
import type { Ffmpeg } from './ffmpeg-binary.ts';
import { type Clip, ClipError, type DecodePolicy } from './policy.ts';
import { readWav } from './wav.ts';

export interface DecodeOptions {
  readonly policy: DecodePolicy;
  /** Asked for only when a clip is not a 16 kHz PCM WAV; throws a UserError where there is none. */
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
 * Decodes clips to mono waveforms at 16 kHz: our own reader takes PCM WAVs at that rate, ffmpeg the rest.
 *
 * @returns for each clip in order its samples [n], n > 0, or the reason why it cannot be used
 * @throws UserError when ffmpeg is needed and absent; the signal's reason when it is aborted
 */
export async function decodeClips(clips: readonly Clip[], options: DecodeOptions): Promise<Decoded[]> {
  const { policy, signal, processes, clipsPerProcess = CLIPS_PER_PROCESS } = options;
  const files = pLimit(OPEN_FILES);
  const results: (Decoded | undefined)[] = await Promise.all(
    clips.map((clip) => files(() => readOwn(clip, policy, signal))),
  );
  const foreign = results.flatMap((result, i) => (result === undefined ? [i] : []));
  if (foreign.length === 0) return results as Decoded[];

  const first = clips[foreign[0] as number] as Clip;
  const what = foreign.length === 1 ? 'is' : `and ${foreign.length - 1} more are`;
  const { path: binary } = await options.ffmpeg(`${first.path} ${what} not 16 kHz PCM WAV`);
  const limit = pLimit(processes);
  const groups = Array.from({ length: Math.ceil(foreign.length / clipsPerProcess) }, (_, g) =>
    foreign.slice(g * clipsPerProcess, (g + 1) * clipsPerProcess),
  );
  await Promise.all(
    groups.map((group) =>
      limit(async () => {
        const members = group.map((i) => clips[i] as Clip);
        const decoded = await decodeTogether(binary, members, policy, signal);
        group.forEach((i, member) => (results[i] = decoded[member]));
      }),
    ),
  );
  return results as Decoded[];
}

async function readOwn(clip: Clip, policy: DecodePolicy, signal?: AbortSignal): Promise<Decoded | undefined> {
  signal?.throwIfAborted();
  try {
    const samples = await readWav(clip, policy);
    return samples === undefined ? undefined : { samples };
  } catch (error) {
    if (error instanceof ClipError) return { reason: error.message };
    throw error;
  }
}
