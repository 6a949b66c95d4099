import { type Card, type Finding, type FindingKind, type Utterance, markKnown } from '@lsgmer/datasets';

/** A row that could not be computed, and whether its dataset's card says so. */
export interface QuarantinedRow {
  readonly id: string;
  readonly reason: string;
  readonly known: boolean;
}

/** What a reason is, in the words of a card's defects; what is none of these cannot be decoded. */
const KINDS: readonly (readonly [RegExp, FindingKind])[] = [
  [/^no media \(missing\)|the file is missing/, 'media-missing'],
  [/^no media \(empty\)|of 0 samples|^no samples/, 'media-empty'],
  [/^no media \(truncated\)|ends early/, 'media-truncated'],
  [/^no media \(segment\)|^the segment|^no channel/, 'segment'],
  [/^longer than/, 'too-long'],
];

/** Compares what could not be computed with the defects that the card lists, count by count. Pure. */
export function withKnown(
  quarantined: readonly { readonly id: string; readonly reason: string }[],
  utterances: readonly Utterance[],
  card: Card,
): QuarantinedRow[] {
  const files = new Map(utterances.map(({ id, media }) => [id, media?.path ?? null]));
  const findings = quarantined.map(({ id, reason }): Finding => ({
    kind: KINDS.find(([words]) => words.test(reason))?.[1] ?? 'media-undecodable',
    level: 'error',
    id,
    file: files.get(id) ?? null,
    line: null,
    expected: null,
    found: reason,
  }));
  const known = new Set(
    markKnown(findings, card.defects)
      .filter(({ level }) => level === 'known')
      .map(({ id }) => id),
  );
  return quarantined.map(({ id, reason }) => ({ id, reason, known: known.has(id) }));
}
