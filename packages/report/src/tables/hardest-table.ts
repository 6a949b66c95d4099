import { NO_PREDICTION } from '@lsgmer/train';
import { cellsOf, type ReportData } from '../gather/report-data.ts';
import { hardestUtterances } from '../measure/hardest.ts';
import { ruleCells, underRule } from './row-parts.ts';
import type { Table } from './table.ts';

/** Rows that the page shows; the explorer has them all. */
const MOST = 40;

/** The utterances that the guided head gets wrong most often. */
export function hardestTable(data: ReportData, explorer: string | undefined): Table | undefined {
  const { guided, utterances, classes } = data;
  if (guided === undefined) return undefined;
  const nameOf = (k: number): string => (k === NO_PREDICTION ? 'no prediction' : (classes[k] ?? String(k)));
  const [, epoch = null, n = null] = ruleCells(guided);
  const hard = hardestUtterances(cellsOf(guided), MOST);
  return {
    id: 'hardest',
    title: 'Utterances most often wrong',
    caption: `Utterances by how many seeds of ${guided.group.label} got them wrong, then by how little probability the truth had. ${underRule(data, [guided])}`,
    notes: [
      'Wrong under every seed may also mean a wrong or doubtful label. The explorer shows the text, who spoke, and the attention.',
    ],
    columns: [
      { key: 'id', head: 'utterance', kind: 'text' },
      { key: 'fold', head: 'fold', kind: 'text' },
      { key: 'speaker', head: 'speaker', kind: 'text' },
      { key: 'label', head: 'truth', kind: 'text' },
      { key: 'said', head: 'said', kind: 'text' },
      { key: 'wrong', head: 'wrong', kind: 'count' },
      { key: 'seeds', head: 'of seeds', kind: 'count' },
      { key: 'p_truth', head: 'p(truth)', kind: 'measure', digits: 2 },
      { key: 'epoch_taken', head: 'epoch', kind: 'text' },
      { key: 'evaluated_of_expected', head: 'n', kind: 'text' },
      { key: 'text', head: 'text', kind: 'long' },
    ],
    rows: hard.map((one) => ({
      ...(explorer === undefined ? {} : { href: `${explorer}#${encodeURIComponent(one.id)}` }),
      cells: [
        one.id,
        one.fold,
        utterances.get(one.id)?.speaker ?? null,
        nameOf(one.label),
        one.said
          .map(({ prediction, times }) =>
            one.said.length > 1 ? `${nameOf(prediction)} ${times}x` : nameOf(prediction),
          )
          .join(', '),
        one.wrong,
        one.seeds,
        one.truth,
        epoch,
        n,
        utterances.get(one.id)?.text ?? null,
      ],
    })),
  };
}
