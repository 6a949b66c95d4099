import { type GroupScores, type MetricKey, type Spread, standardDeviation } from '@lsgmer/train';
import { ruleText } from '../gather/notices.ts';
import type { ReportData } from '../gather/report-data.ts';
import { type Cell, type Column, coverageText, grouped, type Measure, NONE, type RowKind } from './table.ts';

export const METRIC_HEADS: { readonly [key in MetricKey]: string } = {
  wa: 'WA',
  ua: 'UA',
  wf1: 'WF1',
  mf1: 'MF1',
};

/** Metrics that tables show: the main one of the task is always among them. */
export function shownMetrics(data: ReportData): readonly MetricKey[] {
  const usual: MetricKey[] = ['wa', 'ua', 'wf1'];
  return usual.includes(data.task.metric) ? usual : [...usual, data.task.metric];
}

export const percent = (share: number): number => 100 * share;

/** A score over seeds, in percent. */
export function spreadCell(spread: Spread | undefined, key: MetricKey): Measure | null {
  if (spread === undefined) return null;
  return { mean: percent(spread.mean[key]), sd: spread.sd === null ? null : percent(spread.sd[key]) };
}

/** Mean and spread of values of seeds. */
export function measure(values: readonly number[], scale = 1): Measure | null {
  if (values.length === 0) return null;
  const sum = values.reduce((a, b) => a + b, 0);
  return {
    mean: (scale * sum) / values.length,
    sd: values.length < 2 ? null : scale * standardDeviation(values),
  };
}

/** Columns that end every row of ours: the rule and the coverage, so that no number travels without them. */
export const RULE_COLUMNS: readonly Column[] = [
  { key: 'seeds', head: 'seeds', kind: 'text' },
  { key: 'epoch_taken', head: 'epoch', kind: 'text' },
  { key: 'evaluated_of_expected', head: 'n', kind: 'text' },
];

export function ruleCells(row: GroupScores): Cell[] {
  const { coverage } = row;
  const seeds = `${row.complete.length === row.group.seeds.length ? '' : `${row.complete.length} of `}${row.group.seeds.length}`;
  return [
    seeds,
    row.select === 'oracle-test' ? 'oracle-test (ORACLE)' : row.select,
    coverage === null ? NONE : coverageText(coverage.evaluated, coverage.expected),
  ];
}

/** How a row is drawn: broken where it could not be averaged, oracle where its rule is. */
export function kindOf(row: GroupScores): RowKind {
  if (row.overSeeds === null || row.group.stale) return 'broken';
  return row.select === 'oracle-test' ? 'oracle' : 'ours';
}

/** The name of a row, with what stops it from being read as the others. */
export function rowLabel(row: GroupScores): string {
  const marks = [
    ...(row.group.stale ? ['STALE'] : []),
    ...(row.group.mixed.length > 0 ? ['MIXED, not averaged'] : []),
    ...(row.group.mixed.length === 0 && row.overSeeds === null ? ['INCOMPLETE, not averaged'] : []),
    ...(row.coverage !== null && !row.coverage.comparable ? ['NOT COMPARABLE'] : []),
  ];
  return marks.length === 0 ? row.group.label : `${row.group.label} [${marks.join('; ')}]`;
}

/** `2,600 of 2,610` over all groups that agree, else each: for captions. */
export function coverageWords(rows: readonly GroupScores[]): string {
  const texts = new Set(
    rows.flatMap(({ coverage }) =>
      coverage === null ? [] : [coverageText(coverage.evaluated, coverage.expected)],
    ),
  );
  if (texts.size === 0) return 'no complete run';
  return `${[...texts].join('; ')} test utterances evaluated`;
}

/** Ends every caption: rule, seeds, folds, coverage. */
export function underRule(data: ReportData, rows: readonly GroupScores[] = data.groups): string {
  return `${capital(ruleText(data.select))}; ${seedsWords(rows)}; ${coverageWords(rows)}.`;
}

function seedsWords(rows: readonly GroupScores[]): string {
  const seeds = new Set(rows.map((row) => row.complete.length));
  const folds = new Set(rows.map((row) => row.group.folds.length));
  const range = (values: ReadonlySet<number>): string => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return low === high ? grouped(low) : `${low} to ${high}`;
  };
  const n = rows.length === 0 ? '0' : range(seeds);
  const m = rows.length === 0 ? '0' : range(folds);
  return `${n} complete ${n === '1' ? 'seed' : 'seeds'}, ${m} ${m === '1' ? 'fold' : 'folds'}`;
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
