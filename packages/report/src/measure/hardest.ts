import { mean, NO_PREDICTION, type Prediction } from '@lsgmer/train';

/** An utterance that seeds got wrong. */
export interface HardUtterance {
  readonly id: string;
  readonly fold: string;
  readonly label: number;
  /** Seeds that were wrong, of those that scored it. */
  readonly wrong: number;
  readonly seeds: number;
  /** Mean probability of the true class over the seeds with a prediction; null without any. */
  readonly truth: number | null;
  /** How often each class was said, most often first. */
  readonly said: readonly { readonly prediction: number; readonly times: number }[];
}

/**
 * Utterances by how many seeds got them wrong, then by how little probability the truth had; those that all seeds got right
 * are left out.
 */
export function hardestUtterances(
  cells: readonly { readonly fold: string; readonly predictions: readonly Prediction[] }[],
  most: number,
): HardUtterance[] {
  const byId = new Map<string, { fold: string; list: Prediction[] }>();
  for (const { fold, predictions } of cells) {
    for (const prediction of predictions) {
      const known = byId.get(prediction.id);
      if (known === undefined) byId.set(prediction.id, { fold, list: [prediction] });
      else known.list.push(prediction);
    }
  }
  return [...byId]
    .map(([id, { fold, list }]) => hardness(id, fold, list))
    .filter((one) => one.wrong > 0)
    .sort(
      (a, b) =>
        b.wrong / b.seeds - a.wrong / a.seeds || (a.truth ?? 0) - (b.truth ?? 0) || (a.id < b.id ? -1 : 1),
    )
    .slice(0, most);
}

function hardness(id: string, fold: string, list: readonly Prediction[]): HardUtterance {
  const { label } = list[0] as Prediction;
  const times = new Map<number, number>();
  for (const { prediction } of list) times.set(prediction, (times.get(prediction) ?? 0) + 1);
  const answered = list.filter(({ prediction }) => prediction !== NO_PREDICTION);
  return {
    id,
    fold,
    label,
    wrong: list.filter((one) => one.prediction !== label).length,
    seeds: list.length,
    truth: answered.length === 0 ? null : mean(answered.map((one) => one.probabilities[label] as number)),
    said: [...times]
      .map(([prediction, n]) => ({ prediction, times: n }))
      .sort((a, b) => b.times - a.times || a.prediction - b.prediction),
  };
}
