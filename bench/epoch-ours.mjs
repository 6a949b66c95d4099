// lsgmer's side of the epoch benchmark: batches from shards read ahead in the background, the traced step, AdamW.
//
//   node bench/epoch-ours.mjs FOLDER THREADS         (started by epoch.mjs)
//
// Answers lines on stdin: `epoch K` -> {"seconds", "waited"}, `memory` -> {"mib": peak}. Writes buckets.json, the ids of each
// update of ten epochs, which PyTorch is fed with as well.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openFeatureSet } from '../packages/datasets/dist/index.js';
import {
  AdamW,
  Assembler,
  chooseShapes,
  configure,
  featureDims,
  initialValues,
  joinFeatures,
  lsgmer,
  onnxEngine,
  planEpoch,
  prefetched,
  storedSource,
} from '../packages/train/dist/index.js';

const [folder, threads] = process.argv.slice(2);
const { labels } = JSON.parse(readFileSync(join(folder, 'rows.json'), 'utf8'));
const CLASSES = 7;
const stores = [join(folder, 'store')];
const inputs = ['text', 'audio', 'map'];
const sets = inputs.map((feature) => openFeatureSet({ stores, dataset: 'bench', feature }));
const sources = Object.fromEntries(inputs.map((input, i) => [input, storedSource(sets[i])]));
const joined = joinFeatures(
  labels.map((label, i) => ({ id: `bench/u${i}`, label })),
  sources,
);
const { head: config, trainer } = configure(lsgmer, []);
const shapes = chooseShapes(joined.lengths, trainer);
const all = joined.rows.map((_, i) => i);
const plan = (epoch) => planEpoch(all, joined.lengths, shapes, trainer, 1, epoch);
const items = (update) => update.micro.flatMap((micro) => micro.items);
writeFileSync(
  join(folder, 'buckets.json'),
  JSON.stringify(Array.from({ length: 10 }, (_, epoch) => plan(epoch).map(items))),
);

const dims = featureDims(sources);
const engine = await (
  await onnxEngine({ device: 'cpu', threads: Number(threads) })
).create(lsgmer, config, dims, CLASSES);
engine.parameters.set(initialValues(lsgmer.parameters(config, dims, CLASSES), { weights: 0, labels: 0 }));
const optimiser = new AdamW(engine.parameters.length, { lr: 5e-4, decay: 0.01 }, engine.moments);
const assembler = new Assembler(lsgmer, config, CLASSES, joined, sources);

async function epoch(number) {
  const started = performance.now();
  let waited = 0;
  const updates = plan(number);
  const wanted = updates.flatMap(({ micro, rows }, step) => {
    let firstRow = 0;
    return micro.map((one) => {
      const place = { rows, firstRow, dropout: { seed: 1, step } };
      firstRow += one.items.length;
      return { micro: one, place };
    });
  });
  const batches = prefetched(assembler, wanted);
  for (const { micro } of updates) {
    engine.clearGradients();
    for (const _ of micro) {
      const asked = performance.now();
      const { value } = await batches.next();
      waited += performance.now() - asked;
      await engine.gradients(value.batch);
    }
    optimiser.step(engine.parameters, engine.gradient);
  }
  await batches.return();
  return { seconds: (performance.now() - started) / 1000, waited: waited / 1000 };
}

for await (const line of createInterface({ input: process.stdin })) {
  const [verb, number] = line.split(' ');
  if (verb === 'epoch') console.log(JSON.stringify(await epoch(Number(number))));
  else console.log(JSON.stringify({ mib: Math.round(process.resourceUsage().maxRSS / 1024) }));
}
process.exit(0);
