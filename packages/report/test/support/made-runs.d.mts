import type { Card, Utterance } from '@lsgmer/datasets';

export interface MadeRuns {
  /** Root of all runs. */
  readonly runs: string;
  /** Where manifest and token spans go; neither is written without it. */
  readonly store?: string;
  readonly dataset?: string;
  readonly utterances?: number;
  readonly folds?: number;
  readonly seeds?: readonly number[];
  readonly variants?: readonly string[];
  readonly d?: number;
  readonly tokens?: number;
  readonly frames?: number;
  readonly epochs?: number;
  /** Whether runs have a dev part. */
  readonly dev?: boolean;
  readonly card?: Partial<Card>;
  readonly textOf?: (i: number) => string;
  /** Ids without features. */
  readonly missing?: readonly string[];
  /** What is wrong with a run, if anything. */
  readonly skip?: (run: {
    readonly variant: string;
    readonly seed: number;
    readonly fold: string;
  }) => 'absent' | 'unfinished' | 'stale' | 'trial' | undefined;
  /** Fingerprint of the audio feature, by variant. */
  readonly audioFingerprint?: (variant: string) => string;
  /** Where recordings go, if they are to be there. */
  readonly audioRoot?: string;
}

export const CLASSES: readonly string[];
export function makeRuns(options: MadeRuns): {
  readonly card: Card;
  readonly utterances: readonly Utterance[];
};
