import type { Prediction } from '../evaluate/predict.ts';
import { signTest } from './distributions.ts';

/** McNemar's exact test of two sets of predictions of the same utterances. */
export interface McNemar {
  /** Utterances that only the first has right. */
  readonly onlyFirst: number;
  readonly onlySecond: number;
  /** Two-sided exact p value. It takes utterances for independent, which those of one dialogue are not. */
  readonly p: number;
}

/** @param ids the utterances compared; both sides have a prediction of each */
export function mcnemar(
  ids: readonly string[],
  first: ReadonlyMap<string, Prediction>,
  second: ReadonlyMap<string, Prediction>,
): McNemar {
  const right = (side: ReadonlyMap<string, Prediction>, id: string): boolean => {
    const one = side.get(id);
    if (one === undefined) throw new Error(`no prediction of ${id}`);
    return one.prediction === one.label;
  };
  let onlyFirst = 0;
  let onlySecond = 0;
  for (const id of ids) {
    const [a, b] = [right(first, id), right(second, id)];
    if (a && !b) onlyFirst++;
    if (b && !a) onlySecond++;
  }
  return { onlyFirst, onlySecond, p: signTest(onlyFirst, onlyFirst + onlySecond) };
}
