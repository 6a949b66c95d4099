import { describeFinding, type Finding } from '@lsgmer/datasets';

/** Findings shown of each kind when they are many. */
const SHOWN = 5;

/** Problems grouped by kind: how many of which level, the first of each, where the rest is. */
export function findingsText(findings: readonly Finding[], all: boolean): string {
  if (findings.length === 0) return 'no problems found';
  const kinds = grouped(findings, (finding) => finding.kind);
  const lines: string[] = [];
  for (const [kind, group] of kinds) {
    const levels = grouped(group, (finding) => finding.level);
    const counts = [...levels].map(([level, some]) => `${some.length} ${level}`).join(', ');
    lines.push(`${kind}: ${counts}`);
    const shown = all ? group : group.slice(0, SHOWN);
    for (const finding of shown) lines.push(`  ${describeFinding(finding)}`);
    if (shown.length < group.length)
      lines.push(`  ... and ${group.length - shown.length} more (--all shows them, --json gives data)`);
  }
  return lines.join('\n');
}

/** `3 errors, 12 warnings` */
export function findingsCount(findings: readonly Finding[]): string {
  const count = (level: Finding['level']): number =>
    findings.filter((finding) => finding.level === level).length;
  const parts = [`${count('error')} errors`, `${count('warning')} warnings`];
  if (count('known') > 0) parts.push(`${count('known')} known`);
  return parts.join(', ');
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
