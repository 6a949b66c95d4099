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

/** Recordings whose rate or channel count is not what most of the corpus has; a corpus below 16 kHz is one finding. */
export function oddRecordings(rows: readonly Utterance[]): Finding[] {
  const rate = odd(rows, 'sample-rate', (row) => row.media?.sampleRate ?? null, 'Hz');
  const channels = odd(rows, 'channels', (row) => row.media?.channels ?? null, 'channels');
  const low = rate.most !== null && rate.most < LOWEST_RATE ? [lowRate(rate.most)] : [];
  return [...low, ...rate.findings, ...channels.findings];
}

function odd(
  rows: readonly Utterance[],
  kind: FindingKind,
  read: (row: Utterance) => number | null,
  unit: string,
): { most: number | null; findings: Finding[] } {
  const counts = new Map<number, number>();
  let all = 0;
  for (const row of rows) {
    const value = read(row);
    if (value === null) continue;
    all++;
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const first = [...counts].sort(([a, m], [b, n]) => n - m || a - b)[0];
  if (first === undefined) return { most: null, findings: [] };
  const [most, count] = first;
  const expected = `${most} ${unit} as ${count} of ${all} have`;
  const findings = rows.flatMap((row): Finding[] => {
    const value = read(row);
    if (value === null || value === most) return [];
    const file = row.media?.path ?? null;
    return [{ kind, level: 'warning', id: row.id, file, line: null, expected, found: String(value) }];
  });
  return { most, findings };
}

function lowRate(rate: number): Finding {
  const expected = `${LOWEST_RATE} Hz or more`;
  const found = `${rate} Hz in most recordings`;
  return { kind: 'sample-rate', level: 'warning', id: null, file: null, line: null, expected, found };
}
