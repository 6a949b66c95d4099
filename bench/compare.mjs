// How long a comparison takes: 4 variants x 5 seeds x 5 folds of 5,531 predictions in 151 dialogues, from the run
// folders to differences with 10,000 draws, all scores, pooled and over folds.
//
//   node bench/compare.mjs [--draws 10000]        (after `make setup`)
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { digestJson, Rng } from '../packages/datasets/dist/index.js';
import {
  compareRows,
  encodePredictions,
  groupRuns,
  NUMERICS_VERSION,
  readCatalogue,
  scoreGroup,
} from '../packages/train/dist/index.js';

const { values } = parseArgs({ options: { draws: { type: 'string', default: '10000' } } });
const classes = ['angry', 'happy', 'sad', 'neutral'];
const runs = mkdtempSync(join(tmpdir(), 'lsgmer-bench-'));
const rng = Rng.for('bench compare');
const rows = Array.from({ length: 5531 }, (_, i) => {
  const dialogue = Math.floor((i * 151) / 5531);
  return { id: `iemocap/d${dialogue}_${i}`, fold: `Ses0${(dialogue % 5) + 1}`, label: rng.int(4) };
});
for (const variant of ['full', 'no-ma', 'no-joo', 'no-lsma-joo'])
  for (const seed of [1, 2, 3, 4, 5])
    for (const fold of ['Ses01', 'Ses02', 'Ses03', 'Ses04', 'Ses05']) {
      const predictions = rows
        .filter((row) => row.fold === fold)
        .map(({ id, label }) => {
          const probabilities = Array.from({ length: 4 }, () => rng.uniform());
          return { id, label, prediction: rng.uniform() < 0.75 ? label : rng.int(4), probabilities };
        });
      const identity = {
        dataset: 'iemocap',
        task: '4class',
        classes,
        fold,
        seed,
        head: 'lsgmer',
        config: { epochs: 50, variant },
        features: {},
        utterances: fold,
        engine: 'onnx',
        device: 'cpu',
        numerics: NUMERICS_VERSION,
      };
      const run = digestJson(identity).slice(0, 12);
      const folder = join(runs, 'iemocap', '4class', run);
      mkdirSync(folder, { recursive: true });
      const coverage = { expected: predictions.length, missingTest: [], missingTrain: [] };
      writeFileSync(join(folder, 'config.json'), JSON.stringify({ run, variant, identity, coverage }));
      writeFileSync(join(folder, 'predictions.csv'), encodePredictions(predictions, fold, classes));
      writeFileSync(join(folder, 'state.json'), JSON.stringify({ status: 'finished', epoch: 50 }));
    }

const time = (what, work) => {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const result = work();
  const { user, system } = process.cpuUsage(cpu);
  console.log(
    `${what.padEnd(44)} ${((performance.now() - start) / 1000).toFixed(2)} s wall, ${((user + system) / 1e6).toFixed(2)} s CPU`,
  );
  return result;
};
try {
  const groups = time('catalogue of 100 runs', () => groupRuns(readCatalogue(runs).entries));
  const scores = time('predictions and scores', () =>
    groups.map((group) => scoreGroup(group, { select: 'last', missing: 'error' })),
  );
  const dialogueOf = (id) => id.slice(0, id.indexOf('_'));
  const draws = Number(values.draws);
  time(`differences, dialogues, ${draws} draws`, () => compareRows(scores, { dialogueOf, draws }));
  time(`differences, utterances, ${draws} draws`, () =>
    compareRows(scores, { dialogueOf, unit: 'utterance', draws }),
  );
  console.log(`peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);
} finally {
  rmSync(runs, { recursive: true });
}
