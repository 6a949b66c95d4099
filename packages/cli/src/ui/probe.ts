import {
  type MetricKey,
  metricKeys,
  type ProbeFold,
  pText,
  scoreNames,
  type SeriesComparison,
} from '@lsgmer/train';
import { headedTable } from './table.ts';

/** A row of the probe's table. */
export interface ProbeRow {
  readonly name: string;
  readonly dim: number;
  readonly folds: readonly ProbeFold[];
  readonly evaluated: number;
  readonly expected: number;
}

const percent = (share: number): string => (100 * share).toFixed(1);
const signed = (share: number): string => `${share < 0 ? '-' : '+'}${percent(Math.abs(share))}`;

/** Scores of each row with intervals, then the differences to the first row in the task's metric. */
export function probeText(rows: readonly ProbeRow[], result: SeriesComparison, metric: MetricKey): string {
  const units = `${result.units.toLocaleString('en')} ${result.unit}s`;
  const levels = result.rows.map(({ label, levels: of }, i) => {
    const row = rows[i] as ProbeRow;
    const cell = (key: MetricKey): string => {
      const { value, interval } = of.pooled[key];
      return `${percent(value)} [${interval.map(percent).join(', ')}]`;
    };
    return [label, String(row.dim), ...metricKeys.map(cell), `${row.evaluated} of ${row.expected}`];
  });
  const parts = [
    `pooled over ${result.folds.length} folds, in %, with 95 % intervals (${result.draws.toLocaleString('en')} draws of ${units})`,
    headedTable(['feature', 'dim', ...metricKeys.map((key) => scoreNames[key]), 'n'], levels),
  ];
  if (result.leftOut > 0) parts.push(`! ${result.leftOut} utterances that not every row has are left out`);
  for (const row of rows.filter((one) => one.evaluated < one.expected))
    parts.push(
      `! ${row.name}: NOT COMPARABLE, ${row.evaluated} of ${row.expected} test utterances evaluated`,
    );
  if (result.rows.length > 1) parts.push('', differencesText(result, metric));
  return parts.join('\n');
}

function differencesText({ rows }: SeriesComparison, metric: MetricKey): string {
  const cells = rows.flatMap(({ label, difference }) => {
    if (difference === null) return [];
    const one = difference.estimates.pooled[metric];
    const [low, high] = one.interval;
    return [
      [
        label,
        signed(one.value),
        `${signed(low)} to ${signed(high)}`,
        pText(one.p).replace('p = ', ''),
        pText(one.holm).replace('p = ', ''),
      ],
    ];
  });
  const head = [
    `${scoreNames[metric]}, less ${rows[0]?.label ?? ''}`,
    'difference',
    '95 % interval',
    'p',
    'Holm',
  ];
  return headedTable(head, cells);
}
