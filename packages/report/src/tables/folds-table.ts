import type { GroupScores } from '@lsgmer/train';
import { RULE_WORDS } from '../gather/notices.ts';
import type { ReportData } from '../gather/report-data.ts';
import {
  kindOf,
  measure,
  METRIC_HEADS,
  percent,
  rowLabel,
  ruleCells,
  shownMetrics,
  spreadCell,
  underRule,
} from './row-parts.ts';
import { type Cell, coverageText, type RowKind, type Table, type TableRow } from './table.ts';

/** Every fold of every variant, the mean over folds, and all folds pooled. */
export function foldsTable(data: ReportData): Table {
  const metrics = shownMetrics(data);
  return {
    id: 'folds',
    title: 'Fold by fold',
    caption: `Scores in %, ± standard deviation over seeds. "Mean over folds" weighs folds alike; "pooled" scores all folds' predictions as one set. ${underRule(data)}`,
    notes: [`Taken from ${RULE_WORDS[data.select]}.`],
    columns: [
      { key: 'variant', head: 'variant', kind: 'text' },
      { key: 'fold', head: 'fold', kind: 'text' },
      ...metrics.map((key) => ({ key, head: METRIC_HEADS[key], kind: 'measure' as const })),
      { key: 'seeds', head: 'seeds', kind: 'text' },
      { key: 'epoch_taken', head: 'epoch', kind: 'text' },
      { key: 'evaluated_of_expected', head: 'n', kind: 'text' },
    ],
    rows: data.groups.flatMap((row) => rowsOf(row, metrics)),
  };
}

function rowsOf(row: GroupScores, metrics: ReturnType<typeof shownMetrics>): TableRow[] {
  const [, epoch = null] = ruleCells(row);
  const folds = row.group.folds.map((fold): TableRow => {
    const cells = row.seeds.flatMap((seed) => seed.folds.filter((cell) => cell.fold === fold));
    const first = cells[0];
    const mixed = row.group.mixed.length > 0;
    return {
      kind: first === undefined || mixed || row.group.stale ? 'broken' : kindOfFold(row),
      cells: [
        rowLabel(row),
        fold,
        ...metrics.map((key) => (mixed ? null : measure(cells.map((cell) => percent(cell.metrics[key]))))),
        cells.length === row.group.seeds.length
          ? String(cells.length)
          : `${cells.length} of ${row.group.seeds.length}`,
        epoch,
        first === undefined ? 'no finished run' : coverageText(first.evaluated, first.expected),
      ],
    };
  });
  const total = (name: string, spread: 'overFolds' | 'pooled'): TableRow => ({
    kind: kindOf(row),
    cells: [
      rowLabel(row),
      name,
      ...metrics.map((key): Cell => spreadCell(row.overSeeds?.[spread], key)),
      ...ruleCells(row),
    ],
  });
  return row.group.folds.length < 2
    ? folds
    : [...folds, total('mean over folds', 'overFolds'), total('pooled', 'pooled')];
}

const kindOfFold = (row: GroupScores): RowKind => (row.select === 'oracle-test' ? 'oracle' : 'ours');
