import type { GroupScores, MetricKey, PublishedRow } from '@lsgmer/train';
import type { ReportData } from '../gather/report-data.ts';
import { PAPER_NAMES } from './ablation-table.ts';
import {
  kindOf,
  METRIC_HEADS,
  percent,
  rowLabel,
  RULE_COLUMNS,
  ruleCells,
  shownMetrics,
  spreadCell,
  underRule,
} from './row-parts.ts';
import { type Cell, NONE, type Table, type TableRow } from './table.ts';

/** Best possible scores of a generated corpus by variant, shares of 1. */
export type Ceilings = { readonly [variant: string]: { readonly wa: number; readonly ua: number } };

const UNKNOWN = 'not known';
/** Rows of the ablation table. */
const ABLATED = new Set(Object.values(PAPER_NAMES).filter((name) => name !== PAPER_NAMES['full']));

/** Tables I and II: published rows beside ours. Theirs say nothing of epoch, folds and seeds; ours say all of it. */
export function comparisonTable(
  data: ReportData,
  rows: readonly PublishedRow[],
  ceilings: Ceilings | undefined,
): Table {
  const published = rows.filter(({ method }) => !ABLATED.has(method));
  const metrics = shownMetrics(data);
  const named = { iemocap: 'Table I', meld: 'Table II' }[data.card.name];
  const papers = [...new Set(published.map((row) => row.paper))].join('; ');
  return {
    id: 'comparison',
    title:
      named === undefined || published.length === 0
        ? 'Our results'
        : `Beside published results (${named} of the paper)`,
    caption: `${published.length === 0 ? '' : 'Published rows first. Which epoch, which folds and how many seeds they are from is not known: most numbers of the field are the best epoch on the test part, to be read beside our rows marked ORACLE. '}Ours: mean over folds in % (runs list and compare print folds pooled; the table of folds has both), ± standard deviation over seeds. ${underRule(data)}`,
    notes: [
      ...(published.length > 0
        ? [
            `Published rows as printed in ${papers}. Sampling error alone is some 0.6 points of WA at 5,531 utterances and 0.9 at 2,610.`,
          ]
        : []),
      ...(ceilings === undefined
        ? []
        : ['"Best possible" is what the best decision on the generated cues would score, by enumeration.']),
    ],
    columns: [
      { key: 'method', head: 'method', kind: 'text' },
      { key: 'modality', head: 'modality', kind: 'text' },
      ...metrics.map((key) => ({ key, head: METRIC_HEADS[key], kind: 'measure' as const })),
      ...(ceilings === undefined
        ? []
        : [
            { key: 'best_possible_wa', head: 'best possible WA', kind: 'measure' as const },
            { key: 'best_possible_ua', head: 'best possible UA', kind: 'measure' as const },
          ]),
      ...RULE_COLUMNS,
    ],
    rows: [
      ...published.map((row) => publishedRow(row, metrics, ceilings !== undefined)),
      ...ourRows(data).map((row): TableRow => ({
        kind: kindOf(row),
        cells: [
          rowLabel(row),
          modalityOf(row),
          ...metrics.map((key) => spreadCell(row.overSeeds?.overFolds, key)),
          ...ceilingCells(row, ceilings),
          ...ruleCells(row),
        ],
      })),
    ],
  };
}

/** The headline rows, and the guided head once more under every other rule. */
function ourRows(data: ReportData): GroupScores[] {
  const key = data.guided?.group.key;
  const others = [...data.byRule.entries()]
    .filter(([rule]) => rule !== data.select)
    .flatMap(([, rows]) => rows.filter((row) => row.group.key === key && row.overSeeds !== null));
  return [...data.groups, ...others];
}

function publishedRow(row: PublishedRow, metrics: readonly MetricKey[], ceilings: boolean): TableRow {
  const value = (key: MetricKey): Cell => row.scores[key] ?? null;
  return {
    kind: 'published',
    cells: [
      `${row.method} (published)`,
      row.modality,
      ...metrics.map(value),
      ...(ceilings ? [null, null] : []),
      UNKNOWN,
      UNKNOWN,
      UNKNOWN,
    ],
  };
}

function ceilingCells({ group }: GroupScores, ceilings: Ceilings | undefined): Cell[] {
  if (ceilings === undefined) return [];
  const modality = String(group.config['modality'] ?? 'both');
  const best = ceilings[modality];
  return best === undefined ? [null, null] : [percent(best.wa), percent(best.ua)];
}

function modalityOf({ group }: GroupScores): string {
  const words: { readonly [modality: string]: string } = { both: 'A+T', text: 'T', audio: 'A' };
  const modality = group.config['modality'];
  return typeof modality === 'string' ? (words[modality] ?? modality) : NONE;
}
