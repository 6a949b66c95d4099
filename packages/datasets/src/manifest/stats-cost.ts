import { rowSpan } from './span.ts';
import type { Utterance } from './utterance.ts';
import { countWords } from './word-count.ts';

/** A feature whose size and time are to be told beforehand. */
export interface CostModel {
  readonly feature: string;
  /** Values of a step. */
  readonly dim: number;
  /** Steps of a row: frames of the waveform at 50 Hz, columns of the spectrogram at 4 Hz, tokens of the text. */
  readonly steps: 'frames' | 'columns' | 'tokens';
  /** Seconds of sound, or tokens, that one processor core encodes in a second. Measured once, on one machine. */
  readonly perCoreSecond: number;
}

/** What a feature set of a dataset will be like. Steps of frames and columns are exact where lengths are known. */
export interface PredictedCost {
  readonly feature: string;
  readonly dim: number;
  /** Rows whose input is there. */
  readonly rows: number;
  /** Of these, rows whose recording was not read: their annotated times stand for its length. */
  readonly annotated: number;
  readonly steps: number;
  /** Of the float16 values alone. */
  readonly bytes: number;
  /** Of one processor core: an estimate. */
  readonly coreSeconds: number;
}

const RATE = 16000;
/** Fewest samples that a frame takes; shorter recordings are padded to it. */
const FRAME_SAMPLES = 400;
/** Kernel and stride of the seven convolutions under WavLM's frames. */
const FRAME_LAYERS = [
  [10, 5],
  [3, 2],
  [3, 2],
  [3, 2],
  [3, 2],
  [2, 2],
  [2, 2],
] as const;
const PICTURE_SAMPLES = 125;
const PICTURE_COLUMNS = 63;

/** Frames that WavLM makes of so many seconds at 16 kHz: 48,000 samples give 149. */
export function frameSteps(seconds: number): number {
  const samples = Math.max(FRAME_SAMPLES, Math.round(seconds * RATE));
  return FRAME_LAYERS.reduce(
    (length, [kernel, stride]) => Math.floor((length - kernel) / stride) + 1,
    samples,
  );
}

/** Steps that AlexNet's features make of the picture of so many seconds: 3 s give 11, 10 s give 39. */
export function columnSteps(seconds: number): number {
  const columns = Math.max(PICTURE_COLUMNS, Math.round((seconds * RATE) / PICTURE_SAMPLES));
  const pool = (length: number): number => Math.floor((length - 3) / 2) + 1;
  return pool(pool(pool(Math.floor((columns + 2 * 2 - 11) / 4) + 1)));
}

/** RoBERTa's tokens of MELD's 13,708 texts are 1.33 for each word and 3.5 more (least squares; `<s>` and `</s>` included). */
const TOKENS_PER_WORD = 1.327;
const TOKENS_PER_TEXT = 3.53;

/** Tokens of a text, estimated from its words. */
export function tokenSteps(text: string): number {
  return Math.round(TOKENS_PER_WORD * countWords(text) + TOKENS_PER_TEXT);
}

/**
 * What features of a dataset will take, float16. A recording that was not read counts with its annotated times; one
 * without either does not count.
 */
export function predictCosts(
  models: readonly CostModel[],
  utterances: readonly Utterance[],
): PredictedCost[] {
  const read = utterances.map((row) => row.media?.seconds ?? null).filter((one) => one !== null);
  const annotated = utterances.map(annotatedSeconds).filter((one) => one !== null);
  const lengths = [...read, ...annotated];
  const sound = lengths.reduce((sum, seconds) => sum + seconds, 0);
  return models.map(({ feature, dim, steps: kind, perCoreSecond }) => {
    const tokens = kind === 'tokens';
    const counts = tokens
      ? utterances.map((row) => tokenSteps(row.text))
      : lengths.map(kind === 'frames' ? frameSteps : columnSteps);
    const steps = counts.reduce((sum, count) => sum + count, 0);
    return {
      feature,
      dim,
      rows: counts.length,
      annotated: tokens ? 0 : annotated.length,
      steps,
      bytes: steps * dim * 2,
      coreSeconds: (tokens ? steps : sound) / perCoreSecond,
    };
  });
}

/** Null where the recording was read, is missing, or has no annotated times. */
function annotatedSeconds(row: Utterance): number | null {
  if (row.media === null || row.media.seconds !== null) return null;
  const span = rowSpan(row);
  if (span === null || span.start === null || span.end === null) return null;
  return Math.max(0, span.end - span.start);
}
