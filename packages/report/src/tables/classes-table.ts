import type { ReportData } from '../gather/report-data.ts';
import { kindOf, measure, percent, rowLabel, RULE_COLUMNS, ruleCells, underRule } from './row-parts.ts';
import type { Table } from './table.ts';

/** Precision, recall and F1 of each class, folds pooled. */
export function classesTable(data: ReportData): Table {
  const rows = data.groups.flatMap((row) => {
    const pooled = row.seeds.flatMap((seed) =>
      row.complete.includes(seed.seed) && seed.pooled !== null ? [seed.pooled] : [],
    );
    return data.classes.map((name, k) => {
      const of = (key: 'precision' | 'recall' | 'f1') =>
        row.overSeeds === null ? null : measure(pooled.map((one) => percent(one.classes[k]?.[key] ?? NaN)));
      return {
        kind: kindOf(row),
        cells: [
          rowLabel(row),
          name,
          of('precision'),
          of('recall'),
          of('f1'),
          pooled[0]?.classes[k]?.support ?? null,
          ...ruleCells(row),
        ],
      };
    });
  });
  return {
    id: 'classes',
    title: 'Class by class',
    caption: `Precision, recall and F1 in %, all folds pooled, ± standard deviation over seeds. ${underRule(data)}`,
    notes: [],
    columns: [
      { key: 'variant', head: 'variant', kind: 'text' },
      { key: 'class', head: 'class', kind: 'text' },
      { key: 'precision', head: 'precision', kind: 'measure' },
      { key: 'recall', head: 'recall', kind: 'measure' },
      { key: 'f1', head: 'F1', kind: 'measure' },
      { key: 'support', head: 'utterances', kind: 'count' },
      ...RULE_COLUMNS,
    ],
    rows,
  };
}
