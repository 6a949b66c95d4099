import { cellsOf, type ReportData } from '../gather/report-data.ts';
import { calibration } from '../measure/calibration.ts';
import { kindOf, measure, rowLabel, RULE_COLUMNS, ruleCells, underRule } from './row-parts.ts';
import type { Table } from './table.ts';

/** How far probabilities can be taken at their word. */
export function calibrationTable(data: ReportData): Table {
  return {
    id: 'calibration',
    title: 'Calibration',
    caption: `Expected calibration error (10 bins of equal width, in points), negative log likelihood, and Brier score, folds pooled, ± standard deviation over seeds. ${underRule(data)}`,
    notes: [],
    columns: [
      { key: 'variant', head: 'variant', kind: 'text' },
      { key: 'ece', head: 'ECE', kind: 'measure' },
      { key: 'nll', head: 'NLL', kind: 'measure', digits: 3 },
      { key: 'brier', head: 'Brier', kind: 'measure', digits: 3 },
      ...RULE_COLUMNS,
    ],
    rows: data.groups.map((row) => {
      const seeds = row.complete.map((seed) =>
        calibration(cellsOf(row).flatMap((cell) => (cell.seed === seed ? cell.predictions : []))),
      );
      const averaged = row.overSeeds !== null;
      return {
        kind: kindOf(row),
        cells: [
          rowLabel(row),
          averaged ? measure(seeds.map((one) => 100 * one.ece)) : null,
          averaged ? measure(seeds.map((one) => one.nll)) : null,
          averaged ? measure(seeds.map((one) => one.brier)) : null,
          ...ruleCells(row),
        ],
      };
    }),
  };
}
