import type { Metrics, MissingRow } from '@lsgmer/train';
import { headedTable } from './table.ts';

const percent = (share: number): string => (100 * share).toFixed(1);

/** What `lsgmer eval` says of one trained head on one part. */
export function evaluationText(
  result: {
    readonly run: string;
    readonly head: string;
    readonly rule: string;
    readonly trainedOn: string;
    readonly evaluatedOn: string;
    readonly evaluated: number;
    readonly expected: number;
    readonly missing: readonly unknown[];
    readonly removed: { readonly [name: string]: number };
    readonly repeated: number | null;
    readonly metrics: Metrics;
  },
  classes: readonly string[],
): string {
  const { metrics, evaluated, expected, repeated } = result;
  const removed = Object.entries(result.removed).map(([name, n]) => `${name} ${n}`);
  const lines = [
    `${result.head}, run ${result.run} (${result.trainedOn}), epoch taken: ${result.rule}; on ${result.evaluatedOn}; scores in %`,
    ...(removed.length === 0 ? [] : [`classes without counterpart, left out: ${removed.join(', ')}`]),
    ...(result.missing.length === 0 ? [] : [`${result.missing.length} utterances lack a feature`]),
    ...(evaluated === expected ? [] : [`NOT COMPARABLE: ${evaluated} of ${expected} utterances`]),
    ...(repeated === null ? [] : [`as in predictions.csv, to the last digit: ${repeated} of ${evaluated}`]),
    '',
    headedTable(
      ['', 'WA', 'UA', 'WF1', 'MF1', 'n'],
      [
        [
          result.evaluatedOn,
          ...[metrics.wa, metrics.ua, metrics.wf1, metrics.mf1].map(percent),
          `${evaluated} of ${expected}`,
        ],
      ],
    ),
    '',
    headedTable(
      ['confusion (rows: truth)', ...classes, 'recall'],
      metrics.confusion.map((row, k) => [
        classes[k] as string,
        ...row.map(String),
        metrics.classes[k]?.support === 0 ? '-' : percent(metrics.classes[k]?.recall ?? 0),
      ]),
    ),
  ];
  return lines.join('\n');
}

/** The table of missing modalities. */
export function missingGridText(grid: readonly MissingRow[]): string {
  const rows = grid.map(({ condition, withoutText, withoutAudio, withoutBoth, scores }) => [
    condition,
    String(withoutText),
    String(withoutAudio),
    String(withoutBoth),
    ...[scores.wa, scores.ua, scores.wf1, scores.mf1].map(percent),
  ]);
  return `${headedTable(['modalities', 'no text', 'no audio', 'neither', 'WA', 'UA', 'WF1', 'MF1'], rows)}
a missing modality is a mask of zeros: the head sees nothing in its place`;
}
