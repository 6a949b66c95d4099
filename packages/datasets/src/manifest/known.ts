import type { Defect } from './card.ts';
import { sortFindings, type Finding } from './finding.ts';

/**
 * Marks the findings that the card's defects explain as `known`. A defect explains findings of its kind whose id,
 * file and wording fit, as many as it counts, in the order in which findings are shown; one more than that keeps its level, and so
 * does everything that no defect explains. A finding counts for the first defect that fits it and is not used up.
 * @returns all findings, sorted.
 */
export function markKnown(findings: readonly Finding[], defects: readonly Defect[] | undefined): Finding[] {
  const budgets = (defects ?? []).map((defect) => ({ fits: matcher(defect), left: defect.count }));
  return sortFindings(findings).map((finding) => {
    if (finding.level === 'known') return finding;
    const budget = budgets.find((one) => one.left > 0 && one.fits(finding));
    if (budget === undefined) return finding;
    budget.left--;
    return { ...finding, level: 'known' };
  });
}

function matcher(defect: Defect): (finding: Finding) => boolean {
  const [ids, files, founds] = [pattern(defect.ids), pattern(defect.files), pattern(defect.found)];
  return ({ kind, id, file, found }) => kind === defect.kind && ids(id) && files(file) && founds(found);
}

/** Exact values and those with `*`; a finding without the value fits none. Absent: all fit. */
function pattern(values: readonly string[] | undefined): (value: string | null) => boolean {
  if (values === undefined) return () => true;
  const exact = new Set(values.filter((value) => !value.includes('*')));
  const loose = values
    .filter((value) => value.includes('*'))
    .map((value) => new RegExp(`^${value.split('*').map(escape).join('.*')}$`, 's'));
  return (value) => value !== null && (exact.has(value) || loose.some((one) => one.test(value)));
}

function escape(text: string): string {
  return text.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`);
}
