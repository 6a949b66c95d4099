import type { ExtractedSet, ForecastSet, QuarantinedRow, SetPlan } from '@lsgmer/extract';
import { duration } from './reporter.ts';
import { headedTable } from './table.ts';

/** Quarantined utterances that are listed one by one. */
const SHOWN = 20;

/** A set with what is known of each row that it lost. */
export interface ReportedSet extends Omit<ExtractedSet, 'quarantined'> {
  readonly quarantined: readonly QuarantinedRow[];
}

/** Sets, sums, and what was quarantined: by reason first, then the first utterances of each set. */
export function extractionText(sets: readonly ReportedSet[], seconds: number): string {
  const rows = sets.map((set) => [
    set.feature,
    set.fingerprint.slice(0, 12),
    String(set.computed),
    String(set.done),
    String(set.quarantined.length),
  ]);
  const lines = [headedTable(['feature', 'fingerprint', 'computed', 'there before', 'quarantined'], rows)];
  const sum = (of: (set: ReportedSet) => number): number => sets.reduce((total, set) => total + of(set), 0);
  const computed = sum((set) => set.computed);
  if (computed > 0) {
    // Sets of one model share their passes: the sound that went through an encoder is counted once a set.
    const sound = sum((set) => set.audioSeconds);
    const rate = sound > 0 ? `, ${duration(sound)} of sound (${(sound / seconds).toFixed(1)} audio s/s)` : '';
    lines.push(
      `${computed} rows in ${duration(seconds)} (${(computed / seconds).toFixed(1)}/s)${rate}, ${bytesText(sum((set) => set.bytes))} written`,
    );
  }
  const lost = sets.flatMap((set) => set.quarantined);
  if (lost.length > 0) lines.push(...reasonLines(lost));
  for (const { feature, quarantined } of sets) {
    const unknown = quarantined.filter(({ known }) => !known);
    for (const { id, reason } of unknown.slice(0, SHOWN)) lines.push(`  ${feature}: ${id}: ${reason}`);
    if (unknown.length > SHOWN)
      lines.push(`  ${feature}: ... and ${unknown.length - SHOWN} more (--json lists all)`);
  }
  return lines.join('\n');
}

/** Reasons with how often they were given; what differs from clip to clip is left out of them. */
function reasonLines(lost: readonly QuarantinedRow[]): string[] {
  const counts = new Map<string, number>();
  for (const { reason, known } of lost) {
    const key = `${general(reason)}${known ? ' (known to the card)' : ''}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  return ['quarantined:', ...sorted.map(([reason, count]) => `  ${String(count).padStart(6)}  ${reason}`)];
}

function general(reason: string): string {
  return reason.replaceAll(/-?\d+(?:\.\d+)?/g, 'N');
}

/** What would be computed, and what it takes. */
export function forecastText(
  plans: readonly SetPlan[],
  sets: readonly ForecastSet[],
  seconds: number,
): string {
  const bytes = new Map(sets.map((set) => [set.plan, set.bytes]));
  const rows = plans.map((plan) => [
    plan.spec.feature,
    plan.spec.fingerprint.slice(0, 12),
    String(plan.rows.length),
    String(plan.done),
    String(plan.quarantined.length),
    plan.rows.length === 0 ? '' : bytesText(bytes.get(plan) ?? Number.NaN),
  ]);
  const table = headedTable(['feature', 'fingerprint', 'to compute', 'there', 'quarantined', 'about'], rows);
  if (sets.length === 0) return `${table}\nnothing is left to compute`;
  const total = [...bytes.values()].reduce((sum, one) => sum + one, 0);
  if (!Number.isFinite(seconds) || !Number.isFinite(total))
    return `${table}\nnone of the utterances that were tried could be computed: no prediction`;
  return `${table}\nabout ${duration(seconds)} and ${bytesText(total)} (from a few utterances, tried on this machine)`;
}

/** `1.4 GB`, `320 MB`, `12 kB` */
export function bytesText(bytes: number): string {
  if (!Number.isFinite(bytes)) return 'unknown';
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${value >= 100 || power === 0 ? value.toFixed(0) : value.toPrecision(2)} ${units[power]}`;
}
