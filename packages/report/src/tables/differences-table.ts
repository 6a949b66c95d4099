import {
  compareRows,
  differenceSentence,
  type ComparedRow,
  type Comparison,
  type GroupScores,
  pText,
} from '@lsgmer/train';
import type { ReportData } from '../gather/report-data.ts';
import { METRIC_HEADS, percent, rowLabel, RULE_COLUMNS, ruleCells, underRule } from './row-parts.ts';
import { grouped, type Table } from './table.ts';

/** What the differences to the guided head are worth: paired intervals and tests (the same as `lsgmer compare`). */
export function differencesTable(data: ReportData): Table | undefined {
  const { guided } = data;
  if (guided === undefined || guided.overSeeds === null) return undefined;
  const others = data.groups.filter((row) => row !== guided && isAlike(row, guided));
  if (others.length === 0) return undefined;
  const left = data.groups.filter((row) => row !== guided && !others.includes(row));
  const result = compareRows([guided, ...others], {
    dialogueOf: (id) => data.utterances.get(id)?.dialogue ?? null,
  });
  const score = data.task.metric;
  const compared = result.rows.filter((row) => row.difference !== null);
  return {
    id: 'differences',
    title: 'What the differences are worth',
    caption: `Differences to ${guided.group.label} in ${METRIC_HEADS[score]}, folds pooled, in points: paired by seed, with 95 % intervals over seeds and ${result.unit}s. ${unitsText(result)} ${underRule(data, [guided, ...others])}`,
    notes: [
      ...compared.map((row) => differenceSentence(result, row, score)),
      ...(left.length === 0
        ? []
        : [
            `Not compared (other folds, no common seed, incomplete, mixed or stale): ${left.map(rowLabel).join(', ')}.`,
          ]),
    ],
    columns: [
      { key: 'variant', head: 'variant', kind: 'text' },
      { key: 'difference', head: 'difference', kind: 'measure', digits: 2, signed: true },
      { key: 'low', head: 'from', kind: 'measure', digits: 2, signed: true },
      { key: 'high', head: 'to', kind: 'measure', digits: 2, signed: true },
      { key: 'p', head: 'p', kind: 'text' },
      { key: 'p_holm', head: 'p (Holm)', kind: 'text' },
      { key: 'detectable', head: 'detectable', kind: 'measure', digits: 2 },
      ...RULE_COLUMNS,
    ],
    rows: compared.map((row) => {
      const found = (row.difference as NonNullable<ComparedRow['difference']>).estimates.pooled[score];
      const [low, high] = found.interval;
      return {
        kind: row.scores.select === 'oracle-test' ? ('oracle' as const) : ('ours' as const),
        cells: [
          rowLabel(row.scores),
          percent(found.value),
          percent(low),
          percent(high),
          pText(found.p).replace(/^p (= )?/, ''),
          pText(found.holm).replace(/^p (= )?/, ''),
          // more than a difference can be: nothing would be found
          found.detectable > 1 ? null : percent(found.detectable),
          ...ruleCells(row.scores),
        ],
      };
    }),
  };
}

/** Whether two rows can be compared at all; what cannot is named, not thrown. */
function isAlike(row: GroupScores, base: GroupScores): boolean {
  return (
    row.overSeeds !== null &&
    !row.group.stale &&
    row.group.folds.join('\n') === base.group.folds.join('\n') &&
    row.complete.some((seed) => base.complete.includes(seed))
  );
}

function unitsText({ draws, units, unit, utterances, leftOut, alone }: Comparison): string {
  const whole = `${grouped(draws)} draws of ${grouped(units)} ${unit}s within their test folds, ${grouped(utterances)} utterances.`;
  const lost = leftOut === 0 ? '' : ` ${grouped(leftOut)} utterances that not every row has are left out.`;
  const single =
    alone === 0 ? '' : ` ${grouped(alone)} utterances are in no dialogue: each is drawn by itself.`;
  return `${whole}${lost}${single}`;
}
