import { UserError } from '../base/errors.ts';
import { Card, type Protocol } from '../manifest/card.ts';
import { compareIds, type Utterance } from '../manifest/utterance.ts';

/**
 * The card of a table corpus follows from its rows: the labels found are the classes, in the order of their UTF-8
 * bytes; a split column gives the fixed split, else folds are by speaker (by session where there is no speaker).
 * @throws UserError where there are fewer than two labels, or the split's values tell no train and test part.
 */
export function deriveTableCard(dataset: string, rows: readonly Utterance[]): Card {
  const labels = distinct(rows.map((row) => row.rawLabel));
  if (labels.length < 2) {
    throw new UserError(
      `dataset ${dataset}: expected two or more labels, found ${labels.length === 0 ? 'none' : labels.join()}`,
    );
  }
  return Card.parse({
    name: dataset,
    title: dataset,
    adapter: 'table',
    synthetic: false,
    paper: null,
    licence: 'unknown',
    restricted: true,
    layout: [],
    labels,
    tasks: [
      {
        name: 'emotion',
        description: `the ${labels.length} labels of the corpus`,
        classes: labels.map((label) => ({ name: label, labels: [label] })),
        expected: rows.filter((row) => row.rawLabel !== null).length,
        protocol: deriveProtocol(dataset, rows),
        metric: 'ua',
      },
    ],
  } satisfies Card);
}

function deriveProtocol(dataset: string, rows: readonly Utterance[]): Protocol {
  const splits = distinct(rows.map((row) => row.split));
  if (splits.length === 0) {
    const spoken = rows.some((row) => row.speaker !== null);
    return spoken ? { kind: 'by-speaker' } : { kind: 'leave-one-session-out' };
  }
  const named = (pattern: RegExp) => splits.filter((split) => pattern.test(split));
  const [train, dev, test] = [named(/^train/i), named(/^(dev|val)/i), named(/^(test|eval)/i)];
  if (train.length === 0 || test.length === 0) {
    throw new UserError(
      `dataset ${dataset}: the split column must name train and test, found ${splits.join(', ')}; map split to null for folds by speaker`,
    );
  }
  return { kind: 'fixed-split', train, dev, test };
}

function distinct(values: readonly (string | null)[]): string[] {
  return [...new Set(values.filter((value) => value !== null))].sort(compareIds);
}
