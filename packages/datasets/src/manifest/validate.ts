import type { Source } from '../corpora/adapter.ts';
import type { Card } from './card.ts';
import { sortFindings, type Finding, type FindingKind } from './finding.ts';
import { markKnown } from './known.ts';
import { absentLabels, countFindings } from './validate-counts.ts';
import { leakFindings, taskLeakage, type TaskLeakage } from './validate-leakage.ts';
import { oddRecordings, repeatedRows } from './validate-corpus.ts';
import { rowFindings } from './validate-row.ts';
import type { Utterance } from './utterance.ts';

export interface ValidateInput {
  readonly card: Card;
  readonly utterances: readonly Utterance[];
  /** What reading the corpus showed already. */
  readonly problems?: readonly Finding[];
  /** Places of the rows in the corpus; without them a finding names the id only. */
  readonly sources?: ReadonlyMap<string, Source>;
  /** The corpus is a part of the whole on purpose: neither counts nor missing rows are looked at. */
  readonly subset?: boolean;
}

/** Everything that a validation showed. */
export interface Validation {
  /** Sorted by kind, then place. */
  readonly findings: readonly Finding[];
  /** What the sides of the folds share, by protocol of the card, with totals. */
  readonly leakage: readonly TaskLeakage[];
}

/** Kinds that mean a row is not there, which a part of a corpus cannot help. */
const MISSING_ROWS: readonly FindingKind[] = ['count', 'gap'];

/**
 * Everything that is wrong with a corpus, at once: what reading it showed, what its rows are by themselves, to each
 * other and across the sides of the card's folds, and its counts against the card. Media are not opened here, nothing
 * is changed, and the time grows with the rows. What the card knows is `known`, up to the number that it states.
 */
export function validateCorpus(input: ValidateInput): Validation {
  const { card, utterances, sources } = input;
  const findings: Finding[] = [...(input.problems ?? [])];
  const told = new Set(findings.map((finding) => `${finding.kind} ${finding.id}`));
  const texts = utterances.some((row) => row.text !== '');
  for (const row of utterances) {
    for (const finding of rowFindings(row, card, sources?.get(row.id), texts)) {
      if (!told.has(`${finding.kind} ${finding.id}`)) findings.push(finding);
    }
  }
  if (!texts && utterances.length > 0) findings.push(textless(utterances.length));
  findings.push(...repeatedRows(utterances, sources), ...oddRecordings(utterances));
  const leakage = taskLeakage(card, utterances, sources);
  findings.push(...leakFindings(leakage, sources), ...countFindings(card, utterances));
  if (input.subset !== true) findings.push(...absentLabels(card, utterances));
  const asked =
    input.subset === true ? findings.filter(({ kind }) => !MISSING_ROWS.includes(kind)) : findings;
  return { findings: sortFindings(markKnown(asked, card.defects)), leakage };
}

/** The findings of `validateCorpus` alone. */
export function validateManifest(input: ValidateInput): Finding[] {
  return [...validateCorpus(input).findings];
}

/** A corpus without any text is one finding, not one for each row. */
function textless(rows: number): Finding {
  const found = `${rows} rows without one`;
  return { kind: 'text-empty', level: 'warning', id: null, file: null, line: null, expected: 'texts', found };
}
