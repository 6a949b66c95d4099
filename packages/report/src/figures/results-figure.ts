import * as Plot from '@observablehq/plot';
import { standardDeviation } from '@lsgmer/train';
import type { ReportData } from '../gather/report-data.ts';
import { METRIC_HEADS, percent, rowLabel, underRule } from '../tables/row-parts.ts';
import { type Figure, panel } from './figure.ts';

/** Every seed of every variant on one axis. */
export function resultsFigure(data: ReportData): Figure | undefined {
  const key = data.task.metric;
  const seeds = data.groups.flatMap((row) =>
    row.overSeeds === null
      ? []
      : row.seeds
          .filter((seed) => row.complete.includes(seed.seed))
          .map((seed) => ({ variant: rowLabel(row), value: percent(seed.overFolds?.mean[key] ?? NaN) })),
  );
  if (seeds.length === 0) return undefined;
  const variants = [...new Set(seeds.map((one) => one.variant))];
  const means = variants.map((variant) => {
    const values = seeds.filter((one) => one.variant === variant).map((one) => one.value);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const sd = values.length < 2 ? 0 : standardDeviation(values);
    return { variant, mean, low: mean - sd, high: mean + sd };
  });
  const longest = Math.max(...variants.map((name) => name.length));
  return {
    id: 'results-by-seed',
    title: `${METRIC_HEADS[key]} by variant and seed`,
    caption: `${METRIC_HEADS[key]} in %, mean over folds; a point is a seed, the bar is their mean ± standard deviation. The axis does not begin at 0. ${underRule(data)}`,
    alt: means.map((one) => `${one.variant} ${one.mean.toFixed(1)}`).join(', '),
    panels: [
      panel(METRIC_HEADS[key], {
        width: 640,
        height: 60 + 34 * variants.length,
        marginLeft: Math.min(280, 24 + 7 * longest),
        marginRight: 24,
        x: { grid: true, label: `${METRIC_HEADS[key]}, %`, nice: true, inset: 12 },
        y: { domain: variants, label: null, tickSize: 0 },
        marks: [
          Plot.ruleY(means, {
            y: 'variant',
            x1: 'low',
            x2: 'high',
            stroke: 'var(--mark)',
            strokeWidth: 6,
            strokeOpacity: 0.35,
          }),
          Plot.tickX(means, { x: 'mean', y: 'variant', stroke: 'var(--ink)', strokeWidth: 2, inset: 6 }),
          Plot.dot(seeds, { x: 'value', y: 'variant', stroke: 'var(--mark)', fill: 'var(--paper)', r: 3.5 }),
        ],
      }),
    ],
  };
}
