import type { Distribution, ManifestStats, PredictedCost, Tally } from '@lsgmer/datasets';
import { duration } from './reporter.ts';
import { headedTable } from './table.ts';

/** Predicted costs by preset. */
export type Costs = { readonly [preset: string]: readonly PredictedCost[] };

/** Said beside every predicted time. */
const ESTIMATE =
  'Times are estimates from one machine (a core of a 2023 Xeon, no GPU); tokens are estimated from words; sizes are of the float16 values.';

const VALUES = 12;
const BAR = 24;

/** A manifest's figures for the terminal. */
export function statsText(title: string, stats: ManifestStats, costs: Costs): string {
  const { task } = stats;
  const outside = Object.entries(task.excluded).map(([label, n]) => `${label} ${n}`);
  const parts = [
    [
      `${title}: ${stats.utterances} utterances, ${stats.labelled} with a label, ${stats.speakers} speakers, ${stats.dialogues} dialogues`,
      stats.withSeconds === 0
        ? 'lengths of recordings are not known (manifest build --media headers)'
        : `${duration(stats.seconds)} of sound in ${stats.withSeconds} recordings`,
      `task ${task.name}: ${task.rows} utterances${outside.length === 0 ? '' : `; outside: ${outside.join(', ')}`}`,
    ].join('\n'),
    ...(stats.classesBy === null ? [] : [crossTable(stats.classesBy)]),
    ...stats.tallies.filter((one) => one.counts.length > 1).map(tallyTable),
    ...stats.distributions.map(distributionTable),
    costTable(costs),
  ];
  return parts.join('\n\n');
}

function crossTable({ field, classes, rows }: NonNullable<ManifestStats['classesBy']>): string {
  const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);
  const line = (name: string, counts: readonly number[]): string[] => [
    name,
    ...counts.map(String),
    String(sum(counts)),
  ];
  const totals = classes.map((_, k) => sum(rows.map((row) => row.counts[k] as number)));
  return headedTable(
    [`class by ${field}`, ...classes, 'all'],
    [...rows.map((row) => line(row.value, row.counts)), line('all', totals)],
  );
}

function tallyTable({ name, counts }: Tally): string {
  const all = counts.reduce((sum, one) => sum + one.rows, 0);
  const most = Math.max(...counts.map((one) => one.rows));
  const listed = counts.slice(0, VALUES);
  const rest = counts.slice(VALUES);
  const timed = counts.some((one) => one.seconds > 0);
  const rows = listed.map((one) => [
    one.value,
    String(one.rows),
    `${((100 * one.rows) / all).toFixed(1)} %`,
    ...(timed ? [duration(one.seconds)] : []),
    bar(one.rows, most),
  ]);
  if (rest.length > 0) {
    const sum = rest.reduce((total, one) => total + one.rows, 0);
    const seconds = rest.reduce((total, one) => total + one.seconds, 0);
    rows.push([
      `${rest.length} others`,
      String(sum),
      `${((100 * sum) / all).toFixed(1)} %`,
      ...(timed ? [duration(seconds)] : []),
      '',
    ]);
  }
  return leftBars(headedTable([name, 'rows', 'share', ...(timed ? ['sound'] : []), BARS], rows));
}

const BARS = ' '.repeat(BAR);

function bar(rows: number, most: number): string {
  return '#'.repeat(rows === 0 ? 0 : Math.max(1, Math.round((BAR * rows) / most))).padEnd(BAR);
}

/** Bars start where their column does: their blanks have done their part. */
function leftBars(table: string): string {
  return table
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

function distributionTable(one: Distribution): string {
  const number = (value: number): string =>
    one.unit === 's' ? value.toFixed(2) : value.toFixed(value % 1 === 0 ? 0 : 1);
  const most = Math.max(...one.bins.map((bin) => bin.rows));
  const [kind, of] = TITLES[one.name] ?? [one.name, 'rows'];
  const head = `${kind}: ${one.rows} ${of}, min ${number(one.min)}, mean ${one.mean.toFixed(2)}, p50 ${number(one.p50)}, p95 ${number(one.p95)}, p99 ${number(one.p99)}, max ${number(one.max)} ${one.unit}`;
  const rows = one.bins.map((bin) => [`${bin.from} to ${bin.to}`, String(bin.rows), bar(bin.rows, most)]);
  if (one.beyond > 0) rows.push([`${one.bins.at(-1)?.to} and more`, String(one.beyond), '']);
  return `${head}\n${leftBars(headedTable([one.unit, of, BARS], rows))}`;
}

/** What each distribution is of. */
export const TITLES: Readonly<Record<string, readonly [string, string]>> = {
  duration: ['duration of recordings', 'recordings'],
  length: ['length of texts', 'texts'],
  dialogue: ['size of dialogues', 'dialogues'],
};

function costTable(costs: Costs): string {
  const rows = Object.entries(costs).flatMap(([preset, features]) =>
    features.map((one) => costCells(preset, one)),
  );
  return `${headedTable([...COST_HEAD], rows)}\n${costNote(costs)}`;
}

/** What a reader must know of the predictions. */
export function costNote(costs: Costs): string {
  const annotated = Math.max(...Object.values(costs).flatMap((list) => list.map((one) => one.annotated)));
  const from =
    annotated === 0 ? '' : ` Lengths of ${annotated} recordings that were not read are the annotated ones.`;
  return `${ESTIMATE}${from}`;
}

export const COST_HEAD = [
  'preset',
  'feature',
  'dim',
  'utterances',
  'steps',
  'size',
  'time on one core',
] as const;

export function costCells(preset: string, one: PredictedCost): string[] {
  return [
    preset,
    one.feature,
    String(one.dim),
    String(one.rows),
    String(one.steps),
    bytesText(one.bytes),
    one.rows === 0 ? 'unknown' : `about ${duration(one.coreSeconds)}`,
  ];
}

function bytesText(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
