// Does the 95 % interval of a difference hold what it says? Simulated pairs of systems that are equally good:
//
//   node test/claims/interval-coverage.mjs [--pairs 1000] [--draws 1000] [--seeds 3,5]     (after `make setup`)
//
// A corpus like IEMOCAP: 151 dialogues, 5,531 utterances, five folds by session. Whether an utterance is classified
// right depends on its dialogue and itself (alike for both systems), on what each system finds hard about them (the
// same with every seed), on the seed, on seed and dialogue, and on chance. Both systems have the same distribution,
// so the true difference is zero: the interval should hold zero in 95 of 100 cases. Shown beside ours: the plain sum
// of both variances, and the bootstrap over utterances. Ends with code 1 where ours is outside 93 to 98 %.
import { parseArgs } from 'node:util';
import { Rng } from '../../packages/datasets/dist/index.js';
import {
  bootstrap,
  clusterFold,
  countByUnit,
  drawnFrom,
  estimate,
  tQuantile,
} from '../../packages/train/dist/index.js';

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '1000' },
    draws: { type: 'string', default: '1000' },
    seeds: { type: 'string', default: '3,5' },
    only: { type: 'string' },
  },
});
const pairs = Number(values.pairs);
const draws = Number(values.draws);

/** Standard deviations on the scale on which an utterance is right above zero. */
const WORLDS = {
  // the systems find the same things hard: they differ by seed and chance alone
  'same system, quiet seeds': { system: 0, systemDialogue: 0, seed: 0, seedDialogue: 0, chance: 0.5 },
  'same system, loud seeds': { system: 0, systemDialogue: 0, seed: 0.05, seedDialogue: 0.2, chance: 0.5 },
  // each finds other utterances and dialogues hard
  'other system, quiet seeds': { system: 0.6, systemDialogue: 0.3, seed: 0, seedDialogue: 0, chance: 0.3 },
  'other system, some seed noise': {
    system: 0.6,
    systemDialogue: 0.3,
    seed: 0.02,
    seedDialogue: 0.15,
    chance: 0.3,
  },
  'other system, loud seeds': {
    system: 0.6,
    systemDialogue: 0.3,
    seed: 0.06,
    seedDialogue: 0.2,
    chance: 0.3,
  },
};
const CLASSES = 4;
const PRIOR = [0.31, 0.2, 0.2, 0.29];
const scores = { WA: 0, UA: 1, WF1: 2 };

/** 5 folds; 151 dialogues of uneven size, 5,531 utterances; classes cluster in dialogues. */
function corpus(rng) {
  const sizes = Array.from({ length: 151 }, () => 8 + rng.uniform() * 57);
  const sum = sizes.reduce((a, b) => a + b, 0);
  const counts = sizes.map((size) => Math.max(3, Math.round((size / sum) * 5531)));
  while (counts.reduce((a, b) => a + b, 0) !== 5531)
    counts[rng.int(151)] += counts.reduce((a, b) => a + b, 0) < 5531 ? 1 : -1;
  const rows = counts.flatMap((count, d) => {
    const favourite = pick(rng, PRIOR);
    return Array.from({ length: count }, (_, i) => ({
      id: `c/d${d}_${i}`,
      fold: d % 5,
      dialogue: d,
      label: rng.uniform() < 0.5 ? favourite : pick(rng, PRIOR),
    }));
  });
  return rows;
}

function pick(rng, weights) {
  let u = rng.uniform();
  for (const [k, w] of weights.entries()) if ((u -= w) < 0) return k;
  return weights.length - 1;
}

/** Predictions of one system with each seed. */
function predict(rows, hard, world, seeds, rng) {
  const own = rows.map(() => world.system * rng.normal());
  const ownDialogue = Array.from({ length: 151 }, () => world.systemDialogue * rng.normal());
  const other = rows.map(() => rng.uniform());
  return Array.from({ length: seeds }, () => {
    const seed = world.seed * rng.normal();
    const seedDialogue = Array.from({ length: 151 }, () => world.seedDialogue * rng.normal());
    return rows.map(({ id, label, dialogue }, i) => {
      const ease =
        1.0 +
        hard[i] +
        own[i] +
        ownDialogue[dialogue] +
        seed +
        seedDialogue[dialogue] +
        world.chance * rng.normal();
      const wrong = (label + 1 + Math.floor(other[i] * (CLASSES - 1))) % CLASSES;
      return { id, label, prediction: ease > 0 ? label : wrong, probabilities: [] };
    });
  });
}

function differences(rows, sides, unit, seed, seeds) {
  // there are 37 times as many units without dialogues: fewer draws will do for a figure that only stands beside
  const times = unit === 'dialogue' ? draws : Math.min(draws, 200);
  const folds = [0, 1, 2, 3, 4].map((f) =>
    clusterFold(
      `f${f}`,
      rows.filter((row) => row.fold === f),
      (id) => (unit === 'dialogue' ? id.slice(0, id.indexOf('_')) : null),
    ),
  );
  const series = sides.flatMap((side) =>
    side.map((said) => folds.map((fold) => countByUnit(fold, said, CLASSES, 'simulation'))),
  );
  const found = bootstrap(folds, series, CLASSES, { draws: times, seed });
  const units = folds.reduce((sum, fold) => sum + fold.units, 0);
  return (score) => {
    const take = (s) => {
      const from = drawnFrom(times, s, 'pooled', score);
      return found.drawn.subarray(from, from + times);
    };
    const observed = [];
    const drawn = [];
    for (let s = 0; s < seeds; s++) {
      observed.push(
        found.observed[drawnFrom(1, s, 'pooled', score)] -
          found.observed[drawnFrom(1, seeds + s, 'pooled', score)],
      );
      const [a, b] = [take(s), take(seeds + s)];
      drawn.push(a.map((x, i) => x - b[i]));
    }
    return estimate(observed, drawn, units - folds.length);
  };
}

const holds = ({ value }, se, df) => Math.abs(value) <= tQuantile(0.975, df) * se;
const percent = (x) => (100 * x).toFixed(1).padStart(5);
let broken = 0;
const started = performance.now();
for (const seeds of values.seeds.split(',').map(Number)) {
  for (const [name, world] of Object.entries(WORLDS)) {
    if (values.only !== undefined && !name.includes(values.only)) continue;
    const rng = Rng.for('interval coverage', name, seeds);
    const rows = corpus(rng);
    const sum = {};
    for (const score of Object.keys(scores))
      sum[score] = { ours: 0, sum: 0, iid: 0, pairs: 0, value2: 0, se2: 0, df: 0, sd2: 0 };
    for (let pair = 0; pair < pairs; pair++) {
      const dialogues = Array.from({ length: 151 }, () => 0.5 * rng.normal());
      const hard = rows.map((row) => dialogues[row.dialogue] + 1.0 * rng.normal());
      const sides = [0, 1].map(() => predict(rows, hard, world, seeds, rng));
      const clustered = differences(rows, sides, 'dialogue', pair, seeds);
      const iid = pair % 4 === 0 ? differences(rows, sides, 'utterance', pair, seeds) : null;
      for (const [score, place] of Object.entries(scores)) {
        const one = clustered(place);
        const s = sum[score];
        if (holds(one, one.se, one.df)) s.ours++;
        if (seeds > 1) {
          const { seeds: a, units: b } = one.variance;
          if (holds(one, Math.sqrt(a + b), (a + b) ** 2 / (a ** 2 / (seeds - 1) + b ** 2 / 146))) s.sum++;
          s.sd2 += one.sdSeeds ** 2;
        }
        const plain = iid?.(place);
        if (plain !== undefined) {
          s.pairs++;
          if (holds(plain, Math.sqrt(plain.variance.units), 5526)) s.iid++;
        }
        s.value2 += one.value ** 2;
        s.se2 += one.se ** 2;
        s.df += one.df;
      }
    }
    for (const [score, s] of Object.entries(sum)) {
      const share = s.ours / pairs;
      const ok = share >= 0.93 && share <= 0.98;
      if (!ok) broken++;
      console.log(
        `${ok ? 'holds ' : 'BROKEN'} ${seeds} seeds, ${name.padEnd(30)} ${score.padEnd(3)} ours ${percent(share)}  plain sum ${percent(s.sum / pairs)}  iid ${percent(s.iid / s.pairs)}` +
          `   true sd ${percent(Math.sqrt(s.value2 / pairs))} se ${percent(Math.sqrt(s.se2 / pairs))} df ${(s.df / pairs).toFixed(0)} sd over seeds ${percent(Math.sqrt(s.sd2 / pairs))} points`,
      );
    }
  }
}
console.log(`${pairs} pairs each, ${draws} draws, ${((performance.now() - started) / 1000).toFixed(0)} s`);
process.exitCode = broken === 0 ? 0 : 1;
