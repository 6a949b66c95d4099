import { UserError } from '@lsgmer/datasets';
import { NO_PREDICTION } from '../evaluate/metrics.ts';
import type { Prediction } from '../evaluate/predict.ts';

/** What is drawn with replacement: the dialogue, and the utterance where there is none. */
export type Unit = 'dialogue' | 'utterance';

/** Test utterances of one fold, by unit. */
export interface ClusteredFold {
  readonly fold: string;
  /** Ids in the order of `unitOf`. */
  readonly ids: readonly string[];
  /** By utterance: its unit, 0 to `units` - 1. */
  readonly unitOf: Int32Array;
  readonly units: number;
  /** By utterance: index of the true class. */
  readonly labels: Int32Array;
}

/**
 * Counts by unit of one set of predictions of a fold, as sparse rows: entries `starts[u]` up to `starts[u + 1]` are
 * the cells of a [classes, classes + 1] confusion matrix (last column: no prediction) and how often each occurs.
 */
export interface UnitCounts {
  readonly starts: Int32Array;
  readonly cells: Int32Array;
  readonly counts: Float64Array;
}

/**
 * Lays a fold's utterances out by unit.
 * @param truth id and class of each utterance
 * @param dialogueOf null where the utterance belongs to none: it is a unit by itself
 */
export function clusterFold(
  fold: string,
  truth: readonly { readonly id: string; readonly label: number }[],
  dialogueOf: (id: string) => string | null,
): ClusteredFold {
  const numbers = new Map<string, number>();
  const unitOf = Int32Array.from(truth, ({ id }) => {
    const dialogue = dialogueOf(id);
    const unit = dialogue === null ? `utterance ${id}` : `dialogue ${dialogue}`;
    const known = numbers.get(unit);
    if (known !== undefined) return known;
    numbers.set(unit, numbers.size);
    return numbers.size - 1;
  });
  return {
    fold,
    ids: truth.map(({ id }) => id),
    unitOf,
    units: numbers.size,
    labels: Int32Array.from(truth, ({ label }) => label),
  };
}

/**
 * Counts one run's predictions by unit.
 * @throws UserError where the predictions lack an utterance of the fold, or give it another class as its true one
 */
export function countByUnit(
  fold: ClusteredFold,
  predictions: readonly Prediction[],
  classes: number,
  what: string,
): UnitCounts {
  const byId = new Map(predictions.map((one) => [one.id, one]));
  const width = classes + 1;
  const cellOf = Int32Array.from(fold.ids, (id, i) => {
    const one = byId.get(id);
    const label = fold.labels[i] as number;
    if (one === undefined) throw new UserError(`${what}: fold ${fold.fold} has no prediction of ${id}`);
    if (one.label !== label)
      throw new UserError(
        `${what}: the class of ${id} is another one than in the runs that it is compared with`,
      );
    return label * width + (one.prediction === NO_PREDICTION ? classes : one.prediction);
  });
  // keys sort by unit, then cell: equal ones stand together
  const size = classes * width;
  const keys = Float64Array.from(cellOf, (cell, i) => (fold.unitOf[i] as number) * size + cell).sort();
  const starts = new Int32Array(fold.units + 1);
  const cells: number[] = [];
  const counts: number[] = [];
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as number;
    if (i === 0 || key !== keys[i - 1]) {
      cells.push(key % size);
      counts.push(0);
    }
    counts[counts.length - 1] = (counts.at(-1) as number) + 1;
    starts[Math.floor(key / size) + 1] = cells.length;
  }
  return { starts, cells: Int32Array.from(cells), counts: Float64Array.from(counts) };
}
