import {
  describeFinding,
  describeLeakTotal,
  describeProtocol,
  type Finding,
  type FindingKind,
  leakTotals,
  type TaskLeakage,
} from '@lsgmer/datasets';
import { headedTable } from './table.ts';

/** Findings shown in full beside the counts. */
const EXAMPLES = 14;
/** Most of one kind among them. */
const SHOWN = 3;
/** Characters of a line: a text of 100 words says no more than its beginning. */
const WIDTH = 160;

/**
 * Problems by kind and level, then the first errors and warnings of each kind in full; with `all` every one. Known
 * defects are counted only.
 */
export function findingsText(findings: readonly Finding[], all: boolean): string {
  if (findings.length === 0) return 'no problems found';
  const kinds = grouped(findings, (finding) => finding.kind);
  const rows = [...kinds].map(([kind, group]) => [
    kind,
    ...(['error', 'warning', 'known'] as const).map((level) => shown(count(group, level))),
  ]);
  const lines = [findingsCount(findings)];
  if (rows.length > 1) lines.push('', headedTable(['', 'errors', 'warnings', 'known'], rows));
  const examples = all ? findings : firstOfEach(kinds);
  if (examples.length > 0) lines.push('', ...examples.map((finding) => line(finding, all)));
  return lines.join('\n');
}

const shown = (n: number): string => (n === 0 ? '' : String(n));

/** Errors before warnings; of each kind as many as there is room for. */
function firstOfEach(kinds: ReadonlyMap<FindingKind, readonly Finding[]>): Finding[] {
  const chosen: Finding[] = [];
  for (const level of ['error', 'warning'] as const) {
    const groups = [...kinds.values()].map((group) => group.filter((finding) => finding.level === level));
    const there = groups.filter((group) => group.length > 0);
    const room = Math.max(0, EXAMPLES - chosen.length);
    const each = Math.min(SHOWN, Math.max(1, Math.floor(room / Math.max(1, there.length))));
    if (room === 0) break;
    chosen.push(...there.flatMap((group) => group.slice(0, each)));
  }
  return chosen;
}

function line(finding: Finding, whole: boolean): string {
  const text = `${finding.level}: ${describeFinding(finding)}`;
  return whole || text.length <= WIDTH ? text : `${text.slice(0, WIDTH - 3)}...`;
}

/** `3 errors, 12 warnings, 2 known` */
export function findingsCount(findings: readonly Finding[]): string {
  const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
  const parts = [plural(count(findings, 'error'), 'error'), plural(count(findings, 'warning'), 'warning')];
  const known = count(findings, 'known');
  if (known > 0) parts.push(`${known} known`);
  return parts.join(', ');
}

/** What the sides of the folds share, in totals; empty where they share nothing. */
export function leakageText(leakage: readonly TaskLeakage[]): string {
  return leakage
    .flatMap((one) => {
      const totals = leakTotals(one);
      if (totals.length === 0) return [];
      const head = `\nshared across folds (task ${one.task}, ${describeProtocol(one.protocol)}):`;
      return [head, ...totals.map((total) => `  ${describeLeakTotal(total)}`)];
    })
    .join('\n');
}

function count(findings: readonly Finding[], level: Finding['level']): number {
  return findings.filter((finding) => finding.level === level).length;
}

function grouped<T, K>(items: readonly T[], key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}
