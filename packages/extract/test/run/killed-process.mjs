import { readFileSync } from 'node:fs';
import { silent } from '@lsgmer/datasets';
import { extractFeatures, makeTinyModel, TINY_NAMES } from '@lsgmer/extract';

/** One extraction with tiny models, to be killed: node killed-process.mjs <JSON of root, manifest, models, store>. */
const { root, manifest, models, store } = JSON.parse(process.argv[2]);
const utterances = JSON.parse(readFileSync(manifest, 'utf8'));
const texts = utterances.map(({ text }) => text);
const sets = await extractFeatures({
  dataset: 'toy',
  root,
  utterances,
  models: TINY_NAMES.map((name) => makeTinyModel(name, models, texts)),
  store,
  device: 'cpu',
  threads: 1,
  // no shard ends by its size: what is kept of a killed run was taken in by the next one
  settleSeconds: 0,
  reporter: { ...silent, progress: ({ task, done }) => process.send?.({ task, done }) },
});
process.send?.({ sets: sets.map(({ computed, done }) => ({ computed, done })) });
process.disconnect?.();
