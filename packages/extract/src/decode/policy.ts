import type { Json } from '@lsgmer/datasets';
import { z } from 'zod';
import type { PieceSize } from '../features/pieces.ts';

/** The rate, in Hz, of nearly every speech encoder; one that is described may name another. */
export const SAMPLE_RATE = 16_000;
/** Rates, in Hz, that sound is brought to. */
export const LOWEST_RATE = 1000;
export const HIGHEST_RATE = 384_000;

/**
 * How several channels become one: `downmix` as ffmpeg's `-ac 1` writes it to a WAV (front and centre first, no
 * LFE; of stereo the mean), `center` the centre channel (where there is none, the mean), `mean` of all channels.
 */
export type ChannelPolicy = 'downmix' | 'center' | 'mean';

/**
 * What becomes of a clip that is longer than maxSeconds: its beginning is taken, it is encoded in pieces of that length
 * which overlap by overlapSeconds, or it is quarantined.
 */
export type LengthPolicy =
  | { readonly maxSeconds: number; readonly over: 'truncate' | 'skip' }
  | { readonly maxSeconds: number; readonly over: 'chunk'; readonly overlapSeconds: number };

export type ChunkPolicy = Extract<LengthPolicy, { over: 'chunk' }>;

/** What `over` may be. */
export const LENGTH_POLICIES = ['truncate', 'chunk', 'skip'] as const;

/** Longer recordings are no utterances, and do not fit into memory either: they are quarantined. */
const LONGEST_CHUNKED = 3600;

/** Part of the fingerprint: other policies give other features. */
export interface DecodePolicy {
  readonly channels: ChannelPolicy;
  readonly length: LengthPolicy;
}

/** How clips are decoded for an encoder: the policy, and the rate in Hz, a whole number, that the encoder takes. */
export interface Decoding extends DecodePolicy {
  readonly sampleRate: number;
}

/** The longest clip of IEMOCAP has 34.1 s; mis-cut clips of MELD reach minutes. */
export const DEFAULT_DECODE_POLICY: DecodePolicy = {
  channels: 'downmix',
  length: { maxSeconds: 35, over: 'truncate' },
};

/** The decoding as it stands in the fingerprint. */
export function describeDecoding({ sampleRate, channels, length }: Decoding): Json {
  return { sampleRate, channels, ...length };
}

const Recorded = z.intersection(
  z.object({ channels: z.enum(['downmix', 'center', 'mean']) }),
  z.union([
    z.object({ maxSeconds: z.number(), over: z.enum(['truncate', 'skip']) }),
    z.object({ maxSeconds: z.number(), over: z.literal('chunk'), overlapSeconds: z.number() }),
  ]),
);

/** The policy that a fingerprint was made with (`decode` of its computation); null where it says none. */
export function readPolicy(described: Json | undefined): DecodePolicy | null {
  const parsed = Recorded.safeParse(described);
  if (!parsed.success) return null;
  const { channels, maxSeconds } = parsed.data;
  if (parsed.data.over !== 'chunk') return { channels, length: { maxSeconds, over: parsed.data.over } };
  const { over, overlapSeconds } = parsed.data;
  return { channels, length: { maxSeconds, over, overlapSeconds } };
}

/** The pieces that long clips are encoded in. */
export function pieceSize({ maxSeconds, overlapSeconds }: ChunkPolicy, sampleRate: number): PieceSize {
  return {
    samples: Math.round(maxSeconds * sampleRate),
    overlap: Math.round(overlapSeconds * sampleRate),
  };
}

/** A clip that cannot be used, and why, in one line: it is quarantined and the rest goes on. */
export class ClipError extends Error {
  override readonly name = 'ClipError';
}

/** A recording, or a segment of one. */
export interface Clip {
  /** Absolute path. */
  readonly path: string;
  /** Bounds in seconds where it is a segment. */
  readonly start?: number;
  readonly end?: number;
  /** Index, from 0, of the only channel that is meant. */
  readonly channel?: number;
}

/** Whether a clip is less than a whole recording. */
export function isSegment({ start, end, channel }: Clip): boolean {
  return start !== undefined || end !== undefined || channel !== undefined;
}

/**
 * Samples of a clip at the wanted rate: from round(rate start) to before round(rate end), cut where the length policy ends.
 * @param frames samples of the whole recording, where it is known
 */
export function segmentSamples(
  clip: Clip,
  { sampleRate, length }: Decoding,
  frames = Infinity,
): { readonly first: number; readonly count: number } {
  const first = Math.round((clip.start ?? 0) * sampleRate);
  const end = clip.end === undefined ? frames : Math.min(frames, Math.round(clip.end * sampleRate));
  return { first, count: Math.max(0, Math.min(end - first, Math.ceil(readLimit(length) * sampleRate))) };
}

/** Seconds of a clip that are read: a little more than the limit where the policy has to notice longer ones. */
export function readLimit(length: LengthPolicy): number {
  return length.over === 'truncate' ? length.maxSeconds : longest(length) + 0.1;
}

/** Seconds beyond which a clip is cut or refused. */
function longest({ maxSeconds, over }: LengthPolicy): number {
  return over === 'chunk' ? LONGEST_CHUNKED : maxSeconds;
}

/**
 * The checks that every decoded clip goes through.
 * @param samples [n] mono at the wanted rate
 * @throws ClipError when there are none, when one is not finite, or when the clip is too long for the policy
 */
export function checkSamples(samples: Float32Array, { sampleRate, length }: Decoding): Float32Array {
  if (samples.length === 0) throw new ClipError('no samples');
  const most = Math.round(longest(length) * sampleRate);
  if (samples.length > most && length.over !== 'truncate') {
    throw new ClipError(
      `longer than ${longest(length)} s, which the length policy ${length.over === 'skip' ? 'skips' : 'does not cut into pieces'}`,
    );
  }
  const kept = samples.length > most ? samples.slice(0, most) : samples;
  const bad = kept.findIndex((sample) => !Number.isFinite(sample));
  if (bad >= 0) throw new ClipError(`sample ${bad} is ${kept[bad]}`);
  return kept;
}
