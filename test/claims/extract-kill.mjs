// Shows that a run may be killed at any moment: 20 times with SIGKILL at random moments, then once to its end. Rows (id, steps, bytes,
// xxh64) equal those of an undisturbed run, wherever the shards end.
//
//   node test/claims/extract-kill.mjs [--kills 20] [--utterances 400] [--seed 1]        (after `make setup`; minutes)
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  collectCorpus,
  generateDemo,
  loadCard,
  openFeatureSet,
  Rng,
  silent,
} from '../../packages/datasets/dist/index.js';
import { extractFeatures, makeTinyModel, TINY_NAMES } from '../../packages/extract/dist/index.js';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    utterances: { type: 'string', default: '400' },
    seed: { type: 'string', default: '1' },
    child: { type: 'string' },
  },
});
const DATASET = 'demo';
const openIn = (store, feature) => openFeatureSet({ stores: [store], dataset: DATASET, feature });

if (values.child !== undefined) await child(JSON.parse(values.child));
else await main();

/** One run to its end; parents kill it. */
async function child({ folder, store }) {
  const { utterances, models } = await prepared(folder);
  await extractFeatures({
    dataset: DATASET,
    root: join(folder, 'corpus'),
    utterances,
    models,
    store,
    device: 'cpu',
    threads: 2,
    // small shards, so that some are finished before a run is killed
    shardBytes: 60_000,
    reporter: { ...silent, progress: ({ unit }) => unit === 'recordings' || process.send?.('progress') },
  });
  process.exit(0);
}

async function prepared(folder) {
  const { utterances } = await collectCorpus({
    dataset: DATASET,
    root: join(folder, 'corpus'),
    card: loadCard(fileURLToPath(new URL('../../manifests/demo.json', import.meta.url))),
    media: 'hash',
    store: null,
    reporter: silent,
  });
  const texts = utterances.map(({ text }) => text);
  return { utterances, models: TINY_NAMES.map((name) => makeTinyModel(name, join(folder, 'models'), texts)) };
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'lsgmer-claims-kill-'));
  await generateDemo(join(folder, 'corpus'), { utterances: Number(values.utterances), reporter: silent });
  const [whole, disturbed] = [join(folder, 'whole'), join(folder, 'disturbed')];
  const seconds = await run({ folder, store: whole });
  const rng = Rng.for('kill', Number(values.seed));
  let finished = 0;
  for (let i = 0; i < Number(values.kills); i++) {
    // One in four by the clock, also while models are loaded; the others at work, a moment after some batch.
    const kill =
      i % 4 === 0
        ? { messages: 0, seconds: rng.uniform() * seconds * 0.5 }
        : { messages: 1 + rng.int(24), seconds: rng.uniform() * 0.3 };
    const survived = await run({ folder, store: disturbed }, kill);
    if (survived !== undefined) finished++;
    const when = `${kill.seconds.toFixed(2)} s after ${kill.messages === 0 ? 'the start' : `batch ${kill.messages}`}`;
    console.log(`kill ${i + 1}, ${when}: ${rowsIn(disturbed).join(', ')} rows are kept`);
  }
  await run({ folder, store: disturbed });
  const same = rows(whole) === rows(disturbed);
  console.log(
    `${same ? 'holds ' : 'BROKEN'}  after ${values.kills} kills (${finished} came too late) rows equal those of an undisturbed run`,
  );
  rmSync(folder, { recursive: true });
  process.exit(same ? 0 : 1);
}

/** Seconds that the run took, or undefined where it was killed: so many seconds after so many messages. */
function run(what, kill) {
  const before = performance.now();
  return new Promise((resolve, reject) => {
    const running = fork(fileURLToPath(import.meta.url), ['--child', JSON.stringify(what)]);
    let timer;
    let messages = 0;
    const arm = () => (timer ??= setTimeout(() => running.kill('SIGKILL'), 1000 * kill.seconds));
    if (kill?.messages === 0) arm();
    running.on('message', () => {
      if (++messages === kill?.messages) arm();
    });
    running.on('close', (code, signal) => {
      clearTimeout(timer);
      if (signal === 'SIGKILL') resolve(undefined);
      else if (code === 0) resolve((performance.now() - before) / 1000);
      else reject(new Error(`the run ended with ${code ?? signal}`));
    });
  });
}

/** All rows of a store, as text to compare. */
function rows(store) {
  return TINY_NAMES.flatMap((name) => {
    const set = openIn(store, name);
    return set.ids().map((id) => {
      const { n, values: read } = set.read(id);
      return `${name} ${id} ${n} ${Buffer.from(read.buffer, read.byteOffset, read.byteLength).toString('base64')} ${set.rowHash(id)}`;
    });
  }).join('\n');
}

function rowsIn(store) {
  return TINY_NAMES.map((name) => {
    try {
      return openIn(store, name).ids().length;
    } catch {
      return 0;
    }
  });
}
