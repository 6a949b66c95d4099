import { Interrupted, type Reporter } from '@lsgmer/datasets';
import type { FeatureSource, LabelledId } from '../batches/source.ts';
import { argmax, type Prediction } from '../evaluate/predict.ts';
import { fitLogistic, predictLogistic } from './logistic.ts';
import { poolFeatures } from './pooled.ts';
import { scalingOf, standardised } from './standardise.ts';

/** A row of the probe's table: a feature, or several side by side. */
export interface ProbeRequest {
  readonly name: string;
  readonly sources: readonly FeatureSource[];
  readonly classes: number;
  /** Utterances of each fold that have all the features. */
  readonly folds: readonly {
    readonly fold: string;
    readonly train: readonly LabelledId[];
    readonly test: readonly LabelledId[];
  }[];
  /** Inverse strength of the penalty. */
  readonly C: number;
}

export interface ProbeFold {
  readonly fold: string;
  readonly predictions: readonly Prediction[];
  readonly iterations: number;
  readonly converged: boolean;
}

/**
 * What a linear reading of a feature tells: for each fold, multinomial logistic regression on features averaged over
 * time and standardised on the training part. The fit is convex and needs no seed.
 * @throws Interrupted when stopped; UserError for features that are not finite
 */
export async function probe(
  { name, sources, classes, folds, C }: ProbeRequest,
  { reporter, signal }: { readonly reporter: Reporter; readonly signal?: AbortSignal | undefined },
): Promise<ProbeFold[]> {
  const ids = [...new Set(folds.flatMap(({ train, test }) => [...train, ...test].map(({ id }) => id)))];
  const total = ids.length;
  const pooled = await poolFeatures(sources, ids, (done) => {
    if (signal?.aborted === true) throw new Interrupted(`stopped while reading ${name}`);
    if (done === total || done % 50 === 0)
      reporter.progress({ task: `${name}: mean over time`, done, total, unit: 'utterances' });
  });
  const place = new Map(ids.map((id, i) => [id, i]));
  const at = (rows: readonly LabelledId[]): number[] => rows.map(({ id }) => place.get(id) as number);
  const results: ProbeFold[] = [];
  for (const { fold, train, test } of folds) {
    if (signal?.aborted === true) throw new Interrupted(`stopped before fold ${fold} of ${name}`);
    const rows = at(train);
    const scaling = scalingOf(pooled, rows);
    const labels = train.map(({ label }) => label);
    const model = fitLogistic(standardised(pooled, rows, scaling), labels, classes, C);
    if (!model.converged)
      reporter.warn(`${name}, fold ${fold}: not converged after ${model.iterations} iterations`);
    const p = predictLogistic(model, standardised(pooled, at(test), scaling));
    const predictions = test.map(({ id, label }, i): Prediction => {
      const probabilities = [...p.subarray(i * classes, (i + 1) * classes)];
      return { id, label, prediction: argmax(probabilities), probabilities };
    });
    results.push({ fold, predictions, iterations: model.iterations, converged: model.converged });
    reporter.progress({ task: `${name}: folds`, done: results.length, total: folds.length, unit: 'folds' });
    // lets signals and the screen in between fits
    await new Promise((resolve) => setImmediate(resolve));
  }
  return results;
}
