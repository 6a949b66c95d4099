import type { MetricKey } from '../evaluate/metrics.ts';
import type { Aggregate } from './bootstrap.ts';
import type { Estimate } from './estimate.ts';
import type { ComparedSeries, SeriesComparison } from './comparison.ts';

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
  { unit, tooNarrow, units, utterances, rows }: SeriesComparison,
  row: ComparedSeries,
  score: MetricKey,
  aggregate: Aggregate = 'pooled',
): string {
  const { difference } = row;
  if (difference === null) return `${row.label} is the row that the others are compared with.`;
  const found = difference.estimates[aggregate][score];
  if (difference.identical)
    return `${row.label} and ${rows[0]?.label ?? ''} have identical predictions (${plural(difference.seeds.length, 'seed')}, ${plural(utterances, 'utterance')}): there is no difference to test. If their settings differ, those settings changed no prediction.`;
  const [low, high] = found.interval;
  const base = rows[0]?.label ?? '';
  const how = aggregate === 'pooled' ? 'pooled' : 'mean over folds';
  const side = low > 0 ? 'above' : high < 0 ? 'below' : null;
  const family = rows.length > 2 && side !== null && !(found.holm < 1 - found.level);
  const verdict = `${side === null ? 'is not told apart from' : `is ${side}`} ${base}${family ? ' by itself, not among all rows,' : ''}`;
  const iid = tooNarrow ? ' (iid, too narrow)' : '';
  const below = difference.mcnemar.filter(({ p }) => p < 0.05).length;
  const rest = rows.length > 2 ? `, Holm ${pText(found.holm)} over ${rows.length - 1} rows` : '';
  return [
    `${row.label} ${verdict} in ${scoreNames[score]} (${how}): ${signed(found.value)} points, 95 % interval${iid} ${signed(low)} to ${signed(high)}, ${pText(found.p)}${rest};`,
    `${plural(found.bySeed.length, 'seed')}, ${unit === 'dialogue' ? `${plural(units, 'dialogue')}, ` : ''}${plural(utterances, 'utterance')}.`,
    ...powerSentence(found),
    ...fewSeeds(found.bySeed.length),
    `McNemar's exact test is below 0.05 in ${below} of ${difference.mcnemar.length}.`,
  ].join(' ');
}

function powerSentence({ detectable, se }: Estimate): string[] {
  if (se === 0) return [];
  if (detectable > 1)
    return ['No difference that is possible would be found with 80 % power: too few seeds or utterances.'];
  return [`The smallest difference that this design finds with 80 % power is ${points(detectable)} points.`];
}

/** What simulations showed of 95 % intervals (test/claims/interval-grid.mjs): two variances are hard to learn of a few. */
function fewSeeds(seeds: number): string[] {
  if (seeds === 1) return ['One seed: what other seeds would give is not covered.'];
  if (seeds === 2) return ['Two seeds: such intervals hold in 87 to 97 of 100 cases, by how loud seeds are.'];
  return seeds === 3 ? ['Three seeds: such intervals hold in 92 to 97 of 100 cases.'] : [];
}

/** `p = 0.031`, `p < 0.001` */
export function pText(p: number): string {
  if (Number.isNaN(p)) return 'p not known';
  return p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`;
}
