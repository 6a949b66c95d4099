import type { ReportData } from '../gather/report-data.ts';
import { pairedDifference } from './ablation-table.ts';
import {
  kindOf,
  METRIC_HEADS,
  rowLabel,
  RULE_COLUMNS,
  ruleCells,
  shownMetrics,
  spreadCell,
} from './row-parts.ts';
import type { Cell, Table } from './table.ts';

/** The same training seen under each selection rule, and how far apart the rules are. */
export function selectionTable(data: ReportData): Table {
  const metrics = shownMetrics(data);
  const main = data.task.metric;
  const rows = data.groups.flatMap(({ group }) => {
    const mine = [...data.byRule.values()].flatMap((all) => all.filter((row) => row.group.key === group.key));
    const last = mine.find((row) => row.select === 'last');
    return mine
      .filter((row) => row.seeds.some((seed) => seed.folds.length > 0))
      .map((row) => ({
        kind: kindOf(row),
        cells: [
          rowLabel(row),
          ...metrics.map((key) => spreadCell(row.overSeeds?.overFolds, key)),
          row === last || last === undefined ? null : pairedDifference(row, last, main),
          ...ruleCells(row),
        ] satisfies Cell[],
      }));
  });
  return {
    id: 'selection',
    title: 'What the choice of the epoch does',
    caption: `Mean over folds in %, ± standard deviation over seeds, of the same training under each selection rule. "${METRIC_HEADS[main]} − last" is the gap to the last epoch, seed by seed. Rows marked ORACLE chose their epoch on the test part: most published numbers of the field are of this kind, and they flatter.`,
    notes: data.byRule.has('dev')
      ? []
      : [
          'No run has a dev part, so no epoch could be chosen honestly: train with --dev to have the rule dev.',
        ],
    columns: [
      { key: 'variant', head: 'variant', kind: 'text' },
      ...metrics.map((key) => ({ key, head: METRIC_HEADS[key], kind: 'measure' as const })),
      { key: `${main}_gap_to_last`, head: `${METRIC_HEADS[main]} − last`, kind: 'measure', signed: true },
      ...RULE_COLUMNS,
    ],
    rows,
  };
}
