// How often 95 % intervals over seeds and units hold, over the range of what can be: a linear model, so that many
// more cases can be tried than interval-coverage.mjs has time for.
//
//   node test/claims/interval-grid.mjs [--cases 20000]        (after `make setup`)
//
// The difference of seed s is T + e_s + u_s: what the units alone do to all seeds, what unit and seed do by chance, and
// the seed whatever the units. Beside ours: the plain sum of the variance over seeds and the bootstrap variance, which
// counts the chance twice. No figure is a condition: they are what the documentation states.
import { parseArgs } from 'node:util';
import { Rng } from '../../packages/datasets/dist/index.js';
import { combinedVariance, tQuantile } from '../../packages/train/dist/index.js';

const { values } = parseArgs({ options: { cases: { type: 'string', default: '20000' } } });
const cases = Number(values.cases);
const UNITS_DF = 146;
const rng = Rng.for('interval grid');
const chiSquare = (df) => {
  // Wilson and Hilferty: close enough for many degrees of freedom
  const z = rng.normal();
  return df * (1 - 2 / (9 * df) + z * Math.sqrt(2 / (9 * df))) ** 3;
};

/** Quantiles by degrees of freedom, on a fine grid. */
const quantiles = new Map();
const quantile = (df) => {
  const key = Math.round(Math.log(df) * 200);
  if (!quantiles.has(key)) quantiles.set(key, tQuantile(0.975, Math.exp(key / 200)));
  return quantiles.get(key);
};

console.log('seeds  shared  chance  seed    ours  plain sum');
for (const seeds of [2, 3, 5, 10]) {
  const range = { ours: [100, 0], sum: [100, 0] };
  for (const [tau, chance, loud] of [
    [0, 0.5, 0],
    [0, 0.5, 0.5],
    [0, 0.5, 1],
    [0, 0.5, 1.8],
    [0, 0.5, 4],
    [1, 0.4, 0],
    [1, 0.4, 0.5],
    [1, 0.4, 1],
    [1, 0.4, 2],
    [1, 0.4, 4],
    [0.5, 1, 0],
  ]) {
    const hits = { ours: 0, sum: 0 };
    for (let i = 0; i < cases; i++) {
      const shift = tau * rng.normal();
      const found = Array.from({ length: seeds }, () => shift + chance * rng.normal() + loud * rng.normal());
      const mean = found.reduce((a, b) => a + b, 0) / seeds;
      const seedsPart = found.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (seeds - 1) / seeds;
      const both = ((chance ** 2 / seeds) * chiSquare(UNITS_DF * (seeds - 1))) / (UNITS_DF * (seeds - 1));
      const noise = (0.7 * chance ** 2 * rng.normal()) / Math.sqrt((UNITS_DF * seeds * (seeds - 1)) / 2);
      const shared = (tau ** 2 * chiSquare(UNITS_DF)) / UNITS_DF + noise;
      const units = shared + both;
      const ours = combinedVariance({ seedsPart, shared, units, seeds, unitsDf: UNITS_DF });
      if (Math.abs(mean) <= quantile(ours.df) * Math.sqrt(ours.variance)) hits.ours++;
      const sum = seedsPart + units;
      const df = sum ** 2 / (seedsPart ** 2 / (seeds - 1) + units ** 2 / UNITS_DF);
      if (Math.abs(mean) <= quantile(df) * Math.sqrt(sum)) hits.sum++;
    }
    const percent = (n) => (100 * n) / cases;
    for (const key of ['ours', 'sum'])
      range[key] = [Math.min(range[key][0], percent(hits[key])), Math.max(range[key][1], percent(hits[key]))];
    const cells = [tau, chance, loud].map((x) => String(x).padStart(6));
    console.log(
      `${String(seeds).padStart(5)}  ${cells.join('  ')}  ${percent(hits.ours).toFixed(1).padStart(6)}  ${percent(hits.sum).toFixed(1).padStart(9)}`,
    );
  }
  const [ours, sum] = [range.ours, range.sum].map((r) => r.map((x) => x.toFixed(1)).join(' to '));
  console.log(`${seeds} seeds: ours ${ours} %, plain sum ${sum} %`);
}
