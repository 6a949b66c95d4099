import type { Utterance } from '@lsgmer/datasets';
import { type DecodeOptions, decodeClips } from '../decode/decode.ts';
import type { Decoded } from '../decode/ffmpeg.ts';
import { type Clip, type DecodePolicy, readLimit } from '../decode/policy.ts';
import { windowsOf } from './group.ts';
import { mediaPath } from './input-digest.ts';
import type { SetPlan } from './plan.ts';

/**
 * Clips that are decoded, and sorted into batches of equal length, together. The first windows are small, so that the
 * encoder has something to do soon; two of the largest, 50 MB of samples at most, are in memory.
 */
const WINDOW = { rows: 96, seconds: 400 };
const FIRST_WINDOW = { rows: 6, seconds: 25 };
/** Seconds of a clip whose length the manifest does not know. */
const GUESSED_SECONDS = 5;

/** One recording that some sets still lack. */
export interface WantedClip {
  readonly utterance: Utterance;
  /** Place in the manifest. */
  readonly order: number;
  /** Seconds that will be encoded, as far as is known. */
  readonly seconds: number;
}

export interface ClipWindow {
  readonly clips: readonly WantedClip[];
  /** For each of them. */
  readonly decoded: readonly Decoded[];
}

/** Seconds of a recording that an encoder will see, as far as the manifest knows. */
export function encodedSeconds({ media }: Utterance, { length }: DecodePolicy): number {
  return media === null ? 0 : Math.min(media.seconds ?? GUESSED_SECONDS, readLimit(length));
}

/**
 * The recordings that some of the sets of one rate lack, decoded once each, in the order of the manifest. Decoding begins at once and
 * stays one window ahead.
 */
export class ClipWindows {
  readonly clips: readonly WantedClip[];
  /** Of what is decoded, in Hz. */
  readonly sampleRate: number;
  private readonly windows: readonly WantedClip[][];
  private readonly root: string;
  private readonly options: DecodeOptions;
  private ahead: Promise<Decoded[]> | undefined;

  /** @param plans of audio sets */
  constructor(plans: readonly SetPlan[], root: string, options: DecodeOptions) {
    this.root = root;
    this.options = options;
    this.sampleRate = options.sampleRate;
    this.clips = unite(plans, options);
    this.windows = windowsOf(this.clips, ({ seconds }) => seconds, WINDOW, FIRST_WINDOW);
    this.ahead = this.decode(0);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ClipWindow> {
    for (const [i, clips] of this.windows.entries()) {
      const decoded = await (this.ahead as Promise<Decoded[]>);
      this.ahead = this.decode(i + 1);
      yield { clips, decoded };
    }
  }

  private decode(index: number): Promise<Decoded[]> | undefined {
    const window = this.windows[index];
    if (window === undefined) return undefined;
    const decoding = decodeWindow(window, this.root, this.options);
    // Whoever waits for it hears of a failure; should encoding fail first, this one is not unhandled.
    decoding.catch(() => {});
    return decoding;
  }
}

function unite(plans: readonly SetPlan[], { policy }: DecodeOptions): WantedClip[] {
  const wanted = new Map<number, WantedClip>();
  for (const { rows } of plans)
    for (const { utterance, order } of rows)
      wanted.set(order, { utterance, order, seconds: encodedSeconds(utterance, policy) });
  return [...wanted.values()].sort((a, b) => a.order - b.order);
}

/** Rows without media come out with that as their reason. */
async function decodeWindow(
  window: readonly WantedClip[],
  root: string,
  options: DecodeOptions,
): Promise<Decoded[]> {
  const clips = window.map(({ utterance }) => clipOf(utterance, root));
  const there = clips.filter((clip) => clip !== undefined);
  const decoded = await decodeClips(there, options);
  let at = 0;
  return clips.map((clip, i) => {
    if (clip !== undefined) return decoded[at++] as Decoded;
    const why = (window[i] as WantedClip).utterance.tags['media'];
    return { reason: why === undefined ? 'no media' : `no media (${why})` };
  });
}

/** Where a recording lies, and which part of it is meant. */
export function clipOf({ media }: Utterance, root: string): Clip | undefined {
  if (media === null) return undefined;
  return {
    path: mediaPath(root, media),
    ...(media.start === undefined ? {} : { start: media.start }),
    ...(media.end === undefined ? {} : { end: media.end }),
    ...(media.channel === undefined ? {} : { channel: media.channel }),
  };
}
