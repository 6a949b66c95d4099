/** Kinds of problem, in the order in which they are shown. */
export const FINDING_KINDS = [
  'layout',
  'encoding',
  'line',
  'schema',
  'times',
  'duplicate-id',
  'duplicate-number',
  'gap',
  'count',
  'unknown-label',
  'media-missing',
  'media-extra',
  'media-empty',
  'media-undecodable',
  'media-truncated',
  'media-unread',
  'media-changed',
  'segment',
  'too-short',
  'too-long',
  'duration',
  'sample-rate',
  'channels',
  'text-empty',
  'text-source',
  'text-broken',
  'duplicate-audio',
  'duplicate-span',
  'leak-speaker',
  'leak-dialogue',
  'leak-recording',
  'leak-text',
  'leak-span',
  'leak-audio',
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/** Only errors make a command end with exit code 3; `known` is what the corpus is known to contain. */
export type FindingLevel = 'error' | 'warning' | 'known';

/** One problem of a corpus, with its place and what should have been there. */
export interface Finding {
  readonly kind: FindingKind;
  readonly level: FindingLevel;
  readonly id: string | null;
  /** Relative to the corpus root (or the card, or the manifest). */
  readonly file: string | null;
  /** From 1. */
  readonly line: number | null;
  readonly expected: string | null;
  readonly found: string;
}

/** `data.tsv:12 nemo/KD0_x: media-missing: expected audio/KD0_x.wav, found no such file` */
export function describeFinding(finding: Finding): string {
  const file =
    finding.file === null ? '' : `${finding.file}${finding.line === null ? '' : `:${finding.line}`}`;
  const place = [file, finding.id ?? ''].filter((part) => part !== '').join(' ');
  const expected = finding.expected === null ? '' : `expected ${finding.expected}, `;
  return `${place === '' ? '' : `${place}: `}${finding.kind}: ${expected}found ${finding.found}`;
}

/** By kind, then file and line, then id: the same findings always come in the same order. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  const order = new Map(FINDING_KINDS.map((kind, i) => [kind, i]));
  const text = (a: string | null, b: string | null) => (a === b ? 0 : (a ?? '') < (b ?? '') ? -1 : 1);
  return [...findings].sort(
    (a, b) =>
      (order.get(a.kind) ?? 0) - (order.get(b.kind) ?? 0) ||
      text(a.file, b.file) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      text(a.id, b.id),
  );
}
