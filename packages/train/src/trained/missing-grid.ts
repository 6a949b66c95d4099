import { Rng, UserError } from '@lsgmer/datasets';
import type { Joined } from '../batches/source.ts';
import type { Prediction } from '../evaluate/predict.ts';
import { scorePredictions, type Scores, scoresOf } from '../evaluate/summary.ts';
import type { Scorer } from './scorer.ts';

/** One row: which modalities were taken away, and what a head makes of the rest. */
export interface MissingRow {
  /** `whole`, `no text`, `no audio`, or the rate at which each modality of each utterance is missing. */
  readonly condition: string;
  readonly rate: number | null;
  readonly withoutText: number;
  readonly withoutAudio: number;
  readonly withoutBoth: number;
  readonly scores: Scores;
}

const RATES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/**
 * One trained head where modalities are missing: all texts, all recordings, and each modality of each utterance by
 * itself with probability 10 to 90 %, both of them too. A missing modality has a mask of zeros. What is missing at one
 * rate is missing at every higher one: an utterance's two draws depend on seed and id alone.
 * @param joined utterances with both modalities
 * @throws UserError where the head reads one modality only
 */
export async function missingGrid(
  scorer: Pick<Scorer, 'score' | 'sources'>,
  joined: Joined,
  { classes, seed }: { readonly classes: number; readonly seed: number },
): Promise<MissingRow[]> {
  const { text, audio } = scorer.sources;
  if (text === undefined || audio === undefined)
    throw new UserError(
      '--missing-grid needs a head that reads both text and audio: this one reads one of them',
    );
  const draws = joined.rows.map(({ id }) => {
    const rng = Rng.for('missing grid', seed, id);
    return { text: rng.uniform(), audio: rng.uniform() };
  });
  const conditions = [
    { condition: 'whole', rate: null, text: () => false, audio: () => false },
    { condition: 'no text', rate: null, text: () => true, audio: () => false },
    { condition: 'no audio', rate: null, text: () => false, audio: () => true },
    ...RATES.map((rate) => ({
      condition: `${Math.round(100 * rate)} % missing`,
      rate,
      text: (i: number) => (draws[i]?.text as number) < rate,
      audio: (i: number) => (draws[i]?.audio as number) < rate,
    })),
  ];
  const rows: MissingRow[] = [];
  for (const { condition, rate, ...gone } of conditions) {
    const lost = joined.rows.map((_, i) => ({ text: gone.text(i), audio: gone.audio(i) }));
    const predictions: Prediction[] = await scorer.score(without(joined, lost));
    const count = (test: (one: { text: boolean; audio: boolean }) => boolean): number =>
      lost.filter(test).length;
    rows.push({
      condition,
      rate,
      withoutText: count((one) => one.text),
      withoutAudio: count((one) => one.audio),
      withoutBoth: count((one) => one.text && one.audio),
      scores: scoresOf(scorePredictions(predictions, classes)),
    });
  }
  return rows;
}

/** The same utterances with modalities taken away; the map goes with the audio. */
export function without(
  joined: Joined,
  lost: readonly { readonly text: boolean; readonly audio: boolean }[],
): Joined {
  return {
    ...joined,
    lengths: joined.lengths.map((own, i) => ({
      text: lost[i]?.text === true ? 0 : own.text,
      audio: lost[i]?.audio === true ? 0 : own.audio,
      map: lost[i]?.audio === true ? 0 : own.map,
    })),
  };
}
