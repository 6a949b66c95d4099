import type { MetricKey } from '../evaluate/metrics.ts';
import type { Aggregate } from './bootstrap.ts';
import type { ComparedRow, Comparison } from './comparison.ts';

/** Names of scores as the field writes them. */
export const scoreNames: { readonly [key in MetricKey]: string } = {
  wa: 'WA',
  ua: 'UA',
  wf1: 'weighted F1',
  mf1: 'macro F1',
};

const points = (share: number): string => (100 * share).toFixed(2);
const signed = (share: number): string => `${share < 0 ? '-' : '+'}${points(Math.abs(share))}`;
const plural = (n: number, one: string): string => `${n.toLocaleString('en')} ${one}${n === 1 ? '' : 's'}`;

/** What a difference is worth, in one plain sentence or two. */
export function differenceSentence(
  { unit, units, utterances, rows }: Comparison,
  row: ComparedRow,
  score: MetricKey,
  aggregate: Aggregate = 'pooled',
): string {
  const { difference } = row;
  if (difference === null) return `${row.label} is the row that the others are compared with.`;
  const found = difference.estimates[aggregate][score];
  const [low, high] = found.interval;
  const base = rows[0]?.label ?? '';
  const how = aggregate === 'pooled' ? 'pooled' : 'mean over folds';
  const verdict =
    low > 0 ? `is above ${base}` : high < 0 ? `is below ${base}` : `is not told apart from ${base}`;
  const iid = unit === 'utterance' ? ' (iid, too narrow)' : '';
  const below = difference.mcnemar.filter(({ p }) => p < 0.05).length;
  const rest = rows.length > 2 ? `, Holm ${pText(found.holm)} over ${rows.length - 1} rows` : '';
  return [
    `${row.label} ${verdict} in ${scoreNames[score]} (${how}): ${signed(found.value)} points, 95 % interval${iid} ${signed(low)} to ${signed(high)}, ${pText(found.p)}${rest};`,
    `${plural(found.bySeed.length, 'seed')}, ${unit === 'dialogue' ? `${plural(units, 'dialogue')}, ` : ''}${plural(utterances, 'utterance')}.`,
    `The smallest difference that this design finds with 80 % power is ${points(found.detectable)} points.`,
    ...(found.coversSeeds ? [] : ['One seed: what other seeds would give is not covered.']),
    `McNemar's exact test is below 0.05 in ${below} of ${difference.mcnemar.length}.`,
  ].join(' ');
}

/** `p = 0.031`, `p < 0.001` */
export function pText(p: number): string {
  if (Number.isNaN(p)) return 'p not known';
  return p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`;
}
