import { ABLATIONS, type GroupScores, type MetricKey, type PublishedRow } from '@lsgmer/train';
import type { ReportData } from '../gather/report-data.ts';
import {
  kindOf,
  measure,
  METRIC_HEADS,
  percent,
  rowLabel,
  RULE_COLUMNS,
  ruleCells,
  shownMetrics,
  spreadCell,
  underRule,
} from './row-parts.ts';
import { type Cell, type Table } from './table.ts';

/** Names of the paper's rows, by variant. */
export const PAPER_NAMES: { readonly [variant: string]: string } = {
  full: 'LSGMER',
  'no-ma': 'w/o MA',
  'no-joo': 'w/o JOO',
  'no-lsma-joo': 'w/o LSMA & JOO',
};

/** Table III: what each part of the head is worth, as differences to the full head over the same seeds. */
export function ablationTable(data: ReportData, published: readonly PublishedRow[]): Table | undefined {
  const { guided } = data;
  const rows = data.groups.filter(
    ({ group }) => group.variant in ABLATIONS || group.key === guided?.group.key,
  );
  if (guided === undefined || rows.length < 2) return undefined;
  const metrics = shownMetrics(data);
  const main = data.task.metric;
  const theirs = new Map(published.map((row) => [row.method, row.scores]));
  const paper = theirs.has(PAPER_NAMES['no-ma'] as string);
  const printed = metrics.filter((key) => published.some((row) => row.scores[key] !== undefined));
  const full = theirs.get(PAPER_NAMES['full'] as string)?.[main];
  return {
    id: 'ablation',
    title: paper ? 'Ablations (Table III of the paper)' : 'Ablations',
    caption: `Mean over folds in %, ± standard deviation over seeds. "Difference" is to ${guided.group.label} in ${METRIC_HEADS[main]}, seed by seed.${paper ? " The last columns are the paper's, whose epoch, folds and seeds are not known." : ''} ${underRule(data, rows)}`,
    notes: [
      'A difference is worth something when it is large beside its own spread over several seeds: see the intervals and tests below.',
    ],
    columns: [
      { key: 'variant', head: 'variant', kind: 'text' },
      ...metrics.map((key) => ({ key, head: METRIC_HEADS[key], kind: 'measure' as const })),
      {
        key: `${main}_difference`,
        head: `difference in ${METRIC_HEADS[main]}`,
        kind: 'measure',
        signed: true,
      },
      ...RULE_COLUMNS,
      ...(paper
        ? [
            ...printed.map((key) => ({
              key: `published_${key}`,
              head: `published ${METRIC_HEADS[key]}`,
              kind: 'measure' as const,
            })),
            {
              key: `published_${main}_difference`,
              head: 'published difference',
              kind: 'measure' as const,
              signed: true,
            },
          ]
        : []),
    ],
    rows: rows.map((row) => {
      const scores = theirs.get(PAPER_NAMES[row.group.variant] ?? '');
      const other = scores?.[main];
      return {
        kind: kindOf(row),
        cells: [
          rowLabel(row),
          ...metrics.map((key) => spreadCell(row.overSeeds?.overFolds, key)),
          row === guided ? null : pairedDifference(row, guided, main),
          ...ruleCells(row),
          ...(paper
            ? [
                ...printed.map((key) => scores?.[key] ?? null),
                other === undefined || full === undefined || row === guided ? null : other - full,
              ]
            : []),
        ],
      };
    }),
  };
}

/** Over the seeds that both have whole; null where there is none, or a side must not be averaged. */
export function pairedDifference(row: GroupScores, base: GroupScores, key: MetricKey): Cell {
  if (row.overSeeds === null || base.overSeeds === null) return null;
  const scores = (one: GroupScores): Map<number, number> =>
    new Map(
      one.seeds
        .filter((seed) => one.complete.includes(seed.seed))
        .map((seed) => [seed.seed, seed.overFolds?.mean[key] ?? NaN]),
    );
  const other = scores(base);
  return measure(
    [...scores(row)].flatMap(([seed, value]) => {
      const against = other.get(seed);
      return against === undefined ? [] : [percent(value - against)];
    }),
  );
}
