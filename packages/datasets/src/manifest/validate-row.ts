import type { Source } from '../corpora/adapter.ts';
import { schemaProblems } from '../base/schema-problems.ts';
import type { Card } from './card.ts';
import type { Finding, FindingKind, FindingLevel } from './finding.ts';
import { MEDIA_TAG } from './media.ts';
import { rowSpan } from './span.ts';
import { brokenText } from './text-damage.ts';
import { Utterance } from './utterance.ts';

/** Shortest recording from which a waveform encoder makes a frame: 400 samples at 16 kHz, in seconds. */
export const SHORTEST_SECONDS = 400 / 16000;
/** Longest recording that is taken for one utterance, in seconds. */
export const LONGEST_SECONDS = 35;
/** A recording may differ from its annotated times by this much, in seconds. */
export const DURATION_TOLERANCE = 0.5;
/** Times in files have three or four decimals: half a second is not more than half a second for their rounding. */
const ROUNDING = 1e-6;

/** Characters of a text that a finding shows. */
const SHOWN = 40;

/** Findings of a media tag where the reason itself is not known any more. */
const MEDIA_TAGS: Readonly<Record<string, readonly [FindingKind, string]>> = {
  missing: ['media-missing', 'none'],
  corrupt: ['media-undecodable', 'one that cannot be read'],
  empty: ['media-empty', 'one without samples'],
  truncated: ['media-truncated', 'one that ends early'],
  segment: ['segment', 'one without the segment'],
};

/**
 * What is wrong with one row by itself.
 * @param source its place in the corpus, and its annotated times
 * @param texts whether the corpus has texts at all
 */
export function rowFindings(
  row: Utterance,
  card: Card,
  source: Source | undefined,
  texts: boolean,
): Finding[] {
  const findings: Finding[] = [];
  const add = (
    level: FindingLevel,
    kind: FindingKind,
    expected: string,
    found: string,
    file: string | null = source?.file ?? null,
  ) => {
    const line = file !== null && file === source?.file ? source.line : null;
    findings.push({ kind, level, id: row.id, file, line, expected, found });
  };
  const parsed = Utterance.safeParse(row);
  if (!parsed.success) {
    for (const problem of schemaProblems(parsed.error))
      add('error', 'schema', 'an utterance as the format has it', problem);
    return findings;
  }
  if (card.labels !== undefined && row.rawLabel !== null && !card.labels.includes(row.rawLabel)) {
    add('error', 'unknown-label', `one of ${card.labels.join(' ')}`, `'${row.rawLabel}'`);
  }
  const recording = row.media?.path;
  const tagged = MEDIA_TAGS[row.tags[MEDIA_TAG] ?? ''];
  if (tagged !== undefined) add('error', tagged[0], 'a readable recording', tagged[1], recording);
  const seconds = row.media?.seconds ?? null;
  if (seconds !== null && seconds > 0 && seconds < SHORTEST_SECONDS) {
    add('error', 'too-short', `${SHORTEST_SECONDS} s or more`, `${round(seconds)} s`, recording);
  }
  if (seconds !== null && seconds > LONGEST_SECONDS) {
    add('error', 'too-long', `${LONGEST_SECONDS} s or less`, `${round(seconds)} s`, recording);
  }
  const annotated = annotatedSeconds(row, source);
  if (seconds !== null && annotated !== null) {
    const off = Math.abs(seconds - annotated);
    if (off > DURATION_TOLERANCE + ROUNDING) {
      const expected = `${round(annotated)} s as annotated, give or take ${DURATION_TOLERANCE} s`;
      add('warning', 'duration', expected, `${round(seconds)} s`, recording);
    }
  }
  // tags that were dropped, or a recogniser that heard nothing: asked for, not broken
  const emptied = row.rawText.trim() !== '';
  if (row.text === '' && texts) {
    const found = emptied ? `none (the corpus has '${row.rawText.slice(0, SHOWN)}')` : 'none';
    add(emptied ? 'warning' : 'error', 'text-empty', 'a text', found);
  }
  const damage = brokenText(row.text);
  if (damage !== null) add('error', 'text-broken', damage.expected, damage.found);
  return findings;
}

/** What the annotation's times say that a recording lasts; null for segments, which those times cut out. */
function annotatedSeconds(row: Utterance, source: Source | undefined): number | null {
  if (row.media === null || row.media.start !== undefined || row.media.end !== undefined) return null;
  const span = rowSpan(row, source);
  const start = source?.start ?? span?.start ?? null;
  const end = source?.end ?? span?.end ?? null;
  return start === null || end === null ? null : end - start;
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
