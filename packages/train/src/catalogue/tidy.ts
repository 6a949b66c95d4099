import { metricKeys } from '../evaluate/metrics.ts';
import type { GroupScores } from './group-scores.ts';

/** One value of a tidy table; null is an empty cell. */
export type TidyValue = string | number | null;

/** Columns by name, all of one length. */
export interface TidyTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly TidyValue[])[];
}

const FIXED = [
  'dataset',
  'task',
  'variant',
  'label',
  'run',
  'fold',
  'seed',
  'epoch_taken',
  'missing_rule',
  'metric',
  'value',
  'evaluated',
  'expected',
  'status',
  'head',
  'engine',
  'device',
  'numerics',
  'protocol',
  'where',
] as const;

/**
 * One row for each finished run, selection rule and metric, with the configuration as columns: `config.lr`,
 * `feature.text`. Configurations that lack a key have an empty cell there.
 */
export function tidyScores(scores: readonly GroupScores[]): TidyTable {
  const keys = [...new Set(scores.flatMap(({ group }) => Object.keys(group.config)))].sort();
  const inputs = [...new Set(scores.flatMap(({ group }) => Object.keys(group.features)))].sort();
  const rows = scores.flatMap(({ group, seeds, select, missing }) => {
    const config = keys.map((key): TidyValue => {
      const value = group.config[key];
      return value === undefined ? null : typeof value === 'boolean' ? String(value) : value;
    });
    const features = inputs.map((input): TidyValue => {
      const one = group.features[input];
      return one === undefined ? null : `${one.feature}@${one.fingerprint}`;
    });
    return seeds.flatMap((seed) =>
      seed.folds.flatMap(({ run, fold, metrics, evaluated, expected }) =>
        metricKeys.map((metric): TidyValue[] => [
          group.dataset,
          group.task,
          group.variant,
          group.label,
          run.id,
          fold,
          seed.seed,
          select,
          missing,
          metric,
          metrics[metric],
          evaluated,
          expected,
          group.stale ? 'stale' : run.status,
          group.head,
          group.engine,
          group.device,
          group.numerics,
          group.protocol?.name ?? null,
          group.protocol?.where ?? null,
          ...config,
          ...features,
        ]),
      ),
    );
  });
  const columns = [...FIXED, ...keys.map((key) => `config.${key}`), ...inputs.map((one) => `feature.${one}`)];
  return { columns, rows };
}

/** One row for each prediction; probabilities as `p_<class>`. All groups have the same classes. */
export function tidyPredictions(scores: readonly GroupScores[]): TidyTable {
  const classes = scores[0]?.group.classes ?? [];
  const rows = scores.flatMap(({ group, seeds, select }) =>
    seeds.flatMap((seed) =>
      seed.folds.flatMap(({ run, fold, predictions }) =>
        predictions.map(({ id, label, prediction, probabilities }): TidyValue[] => [
          id,
          group.label,
          run.id,
          fold,
          seed.seed,
          select,
          classes[label] ?? null,
          classes[prediction] ?? null,
          ...classes.map((_, k) => probabilities[k] ?? null),
        ]),
      ),
    ),
  );
  const columns = ['id', 'label_of_row', 'run', 'fold', 'seed', 'epoch_taken', 'label', 'prediction'];
  return { columns: [...columns, ...classes.map((name) => `p_${name}`)], rows };
}

/** RFC 4180 with line feeds; numbers as JavaScript prints them, which read back to the same value. */
export function toCsv({ columns, rows }: TidyTable): string {
  const line = (cells: readonly TidyValue[]): string => `${cells.map(cellText).join(',')}\n`;
  return [columns, ...rows].map(line).join('');
}

function cellText(value: TidyValue): string {
  const text = value === null ? '' : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
