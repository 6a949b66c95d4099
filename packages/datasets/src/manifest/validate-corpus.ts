import type { Source } from '../corpora/adapter.ts';
import type { Finding, FindingKind } from './finding.ts';
import { audioKey, rowSpan, spanKey } from './span.ts';
import type { Utterance } from './utterance.ts';

/** Ids that are there twice, recordings under two ids, time spans of two rows of one split. */
export function repeatedRows(
  rows: readonly Utterance[],
  sources: ReadonlyMap<string, Source> | undefined,
): Finding[] {
  const findings: Finding[] = [];
  const ids = new Set<string>();
  const audio = new Map<string, Utterance>();
  const spans = new Map<string, Utterance>();
  for (const row of rows) {
    const source = sources?.get(row.id);
    const place = { id: row.id, file: source?.file ?? null, line: source?.line ?? null };
    if (ids.has(row.id)) {
      const expected = 'each id once';
      findings.push({ kind: 'duplicate-id', level: 'error', ...place, expected, found: 'it again' });
      continue;
    }
    ids.add(row.id);
    const sound = audioKey(row);
    const sounded = sound === null ? undefined : audio.get(sound);
    if (sounded !== undefined) {
      const found = `that of ${sounded.id}${labels(sounded, row)}`;
      const expected = 'a recording of its own';
      const file = row.media?.path ?? null;
      findings.push({
        kind: 'duplicate-audio',
        level: 'error',
        id: row.id,
        file,
        line: null,
        expected,
        found,
      });
    } else if (sound !== null) audio.set(sound, row);
    const span = rowSpan(row, source);
    const key = span === null ? null : spanKey(span);
    if (key === null) continue;
    // what lies in two splits is leakage
    const within = `${row.split ?? ''} ${key}`;
    const there = spans.get(within);
    if (there === undefined) spans.set(within, row);
    else {
      const found = `that of ${there.id}${labels(there, row)}`;
      const expected = 'a time span of its own';
      findings.push({ kind: 'duplicate-span', level: 'warning', ...place, expected, found });
    }
  }
  return findings;
}

/** Two labels of one sound are worth telling. */
function labels(first: Utterance, row: Utterance): string {
  if (first.rawLabel === row.rawLabel) return '';
  return ` with another label (${first.rawLabel ?? 'none'} there, ${row.rawLabel ?? 'none'} here)`;
}

/** Below this rate a recording lacks what 16 kHz encoders were trained on. */
const LOWEST_RATE = 16000;

/**
 * Recordings whose rate or channel count is not what most of the corpus has; where none has most, and where recordings are below
 * 16 kHz, that is one finding.
 */
export function oddRecordings(rows: readonly Utterance[]): Finding[] {
  const rates = odd(rows, 'sample-rate', (row) => row.media?.sampleRate ?? null, 'Hz');
  const channels = odd(rows, 'channels', (row) => row.media?.channels ?? null, 'channels');
  const low = [...rates.counts].filter(([rate]) => rate < LOWEST_RATE);
  // Better ones are not odd beside many that are too low.
  const unlike = rates.most !== null && rates.most < LOWEST_RATE ? [] : rates.findings;
  return [...(low.length === 0 ? [] : [lowRate(low, rates.all)]), ...unlike, ...channels.findings];
}

interface Odd {
  readonly counts: ReadonlyMap<number, number>;
  readonly all: number;
  /** What more than half have. */
  readonly most: number | null;
  readonly findings: readonly Finding[];
}

function odd(
  rows: readonly Utterance[],
  kind: FindingKind,
  read: (row: Utterance) => number | null,
  unit: string,
): Odd {
  const counts = new Map<number, number>();
  let all = 0;
  for (const row of rows) {
    const value = read(row);
    if (value === null) continue;
    all++;
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const ordered = [...counts].sort(([a, m], [b, n]) => n - m || a - b);
  const [most, count] = ordered[0] ?? [0, 0];
  if (2 * count <= all) {
    if (all === 0) return { counts, all, most: null, findings: [] };
    const found = ordered.map(([value, n]) => `${value} (${n})`).join(', ');
    const expected = `${unit === 'Hz' ? 'one rate' : 'one number of channels'} in most of ${all} recordings`;
    return { counts, all, most: null, findings: [whole(kind, expected, found)] };
  }
  const expected = `${most} ${unit} as ${count} of ${all} have`;
  const findings = rows.flatMap((row): Finding[] => {
    const value = read(row);
    if (value === null || value === most) return [];
    const file = row.media?.path ?? null;
    return [{ kind, level: 'warning', id: row.id, file, line: null, expected, found: String(value) }];
  });
  return { counts, all, most, findings };
}

function lowRate(low: readonly (readonly [number, number])[], all: number): Finding {
  const rates = [...low].sort(([a], [b]) => b - a).map(([rate, count]) => `${rate} Hz in ${count}`);
  return whole('sample-rate', `${LOWEST_RATE} Hz or more`, `${rates.join(', ')} of ${all} recordings`);
}

/** A warning of the corpus as a whole. */
function whole(kind: FindingKind, expected: string, found: string): Finding {
  return { kind, level: 'warning', id: null, file: null, line: null, expected, found };
}
