// Shows what a run at full size promises: random WavLM-large and roberta-base, clips up to 35 s.
//
//   node test/claims/extract-full-size.mjs [--folder DIR] [--dtype fp32|int8]       (after `make setup`; minutes, 2 GB of disk)
//
// - the main thread never computes for 50 ms at a stretch while encoders are at work, so that its event loop does not stand still
//   (in processor time, which Linux tells: on a busy machine a thread also waits for a processor; it waits for no disk)
// - all processes together stay under 4 GB
// - told to stop in the middle of a 35 s clip, the run ends within 5 s with every finished row kept, and goes on from there
import { fork } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  encodeWav,
  Interrupted,
  openFeatureSet,
  Rng,
  sha256Hex,
  silent,
} from '../../packages/datasets/dist/index.js';
import { DEFAULT_FEATURE_OPTIONS, extractFeatures, readModel } from '../../packages/extract/dist/index.js';
import { makeRandomModel } from '../../bench/random-models.mjs';

const { values } = parseArgs({
  options: {
    folder: { type: 'string', default: join(tmpdir(), 'lsgmer-bench') },
    dtype: { type: 'string', default: 'fp32' },
    child: { type: 'string' },
  },
});
const { folder } = values;
const TEXTS = [
  'oh my god',
  'what are you doing here',
  'nothing',
  'I never said that',
  'you know what, forget it',
];
/** Seconds of each clip; the long ones come first, so that a run can be stopped in one of them. */
const SECONDS = [3, 35, 35, 35, 2, 4, 3, 5, 3, 2, 1, 12, 3, 4];
const MODELS = ['random-roberta-base', 'random-wavlm-large'];

/** Name of a model's feature. */
const featureOf = (model) => `${MODELS[model]}${values.dtype === 'fp32' ? '' : `.${values.dtype}`}`;

if (values.child !== undefined) await child(values.child);
else await main();

async function main() {
  for (const name of MODELS) await makeRandomModel(name, join(folder, 'models'), TEXTS);
  makeCorpus();
  let broken = 0;
  const claim = (holds, text) => {
    console.log(`${holds ? 'holds ' : 'BROKEN'}  ${text}`);
    if (!holds) broken++;
  };
  const store = join(folder, 'claims-store');
  rmSync(store, { recursive: true, force: true });

  // Stopped in the middle of the first long clip: the short one before it is done by then, and texts are.
  const stopped = await run(store, (message, stop) => {
    if (message.task === MODELS[1] && message.done === 1) setTimeout(() => stop(), 1500);
  });
  const kept = openFeatureSet({ stores: [store], dataset: 'claims', feature: featureOf(1) }).ids().length;
  claim(
    stopped.code === 75 && stopped.stopSeconds < 5,
    `stopped in a clip of 35 s: ended after ${stopped.stopSeconds.toFixed(2)} s (code ${stopped.code})`,
  );
  claim(kept >= 1, `${kept} finished rows of ${SECONDS.length} are kept`);

  const whole = await run(store);
  const total = openFeatureSet({ stores: [store], dataset: 'claims', feature: featureOf(1) }).ids().length;
  claim(
    whole.code === 0 && total === SECONDS.length,
    `the same run goes on: ${total} of ${SECONDS.length} rows`,
  );
  claim(
    whole.stretch < 50,
    `the main thread computed for at most ${whole.stretch.toFixed(1)} ms at a stretch; its latest tick came ${whole.late.toFixed(0)} ms late`,
  );
  claim(whole.peak < 4e9, `all processes together had ${(whole.peak / 1e9).toFixed(2)} GB at most`);
  rmSync(store, { recursive: true, force: true });
  process.exit(broken === 0 ? 0 : 1);
}

/** One run in a process of its own; `watch` hears of its progress, and may stop it. */
function run(store, watch = () => {}) {
  let [stopAt, peak] = [0, 0];
  let loop = {};
  return new Promise((resolve) => {
    const running = fork(fileURLToPath(import.meta.url), [
      '--child',
      store,
      '--folder',
      folder,
      '--dtype',
      values.dtype,
    ]);
    const timer = setInterval(() => (peak = Math.max(peak, memoryOf(running.pid))), 100);
    const stop = () => {
      stopAt = performance.now();
      running.kill('SIGTERM');
    };
    running.on('message', (message) => {
      if (message.stretch !== undefined) loop = message;
      else watch(message, stop);
    });
    running.on('close', (code) => {
      clearInterval(timer);
      resolve({ code, stopSeconds: (performance.now() - stopAt) / 1000, peak, ...loop });
    });
  });
}

/** Resident bytes of a process and all that descend from it (Linux). */
function memoryOf(pid) {
  try {
    const resident =
      1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
    );
    return children.reduce((sum, one) => sum + memoryOf(one), resident);
  } catch {
    return 0; // it has ended
  }
}

async function child(store) {
  const controller = new AbortController();
  process.on('SIGTERM', () => controller.abort());
  let [stretch, late] = [0, 0];
  const models = MODELS.map((name) =>
    readModel(join(folder, 'models', name), { ...DEFAULT_FEATURE_OPTIONS, compute: values.dtype }),
  );
  const utterances = JSON.parse(readFileSync(join(folder, 'claims', 'utterances.json'), 'utf8'));
  let begun = false;
  const progress = (step) => {
    if (step.unit === 'recordings') return;
    if (!begun) watchLoop((cpu, wall) => ([stretch, late] = [Math.max(stretch, cpu), Math.max(late, wall)]));
    begun = true;
    process.send({ task: step.task, done: step.done });
  };
  let code = 0;
  try {
    await extractFeatures({
      dataset: 'claims',
      root: join(folder, 'claims'),
      utterances,
      models,
      store,
      device: 'cpu',
      // shards that end while encoders are at work
      shardBytes: 4e6,
      signal: controller.signal,
      reporter: { ...silent, progress },
    });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    code = 75;
  }
  process.send({ stretch, late }, () => process.exit(code));
}

/** Tells for each tick of a timer for how many milliseconds the main thread computed since the last one, and how late the tick came. */
function watchLoop(tell) {
  const EVERY = 5;
  const computed = () => Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[0]) / 1e6;
  let [last, before] = [performance.now(), computed()];
  setInterval(() => {
    const [now, cpu] = [performance.now(), computed()];
    tell(cpu - before, now - last - EVERY);
    [last, before] = [now, cpu];
  }, EVERY).unref();
}

function makeCorpus() {
  const corpus = join(folder, 'claims');
  if (existsSync(join(corpus, 'utterances.json'))) return;
  mkdirSync(corpus, { recursive: true });
  const rng = Rng.for('claims sound');
  const utterances = SECONDS.map((seconds, i) => {
    const samples = Float32Array.from({ length: 16_000 * seconds }, () => 0.2 * (rng.uniform() - 0.5));
    const wav = encodeWav(samples, 16_000);
    writeFileSync(join(corpus, `u${i}.wav`), wav);
    const text = TEXTS[i % TEXTS.length];
    return {
      id: `claims/u${String(i).padStart(2, '0')}`,
      dataset: 'claims',
      split: null,
      session: null,
      dialogue: null,
      turn: null,
      speaker: null,
      rawLabel: null,
      annotations: {},
      text,
      rawText: text,
      textSource: 'none',
      tags: {},
      media: {
        path: `u${i}.wav`,
        sha256: sha256Hex(wav),
        seconds,
        sampleRate: 16_000,
        channels: 1,
      },
    };
  });
  writeFileSync(join(corpus, 'utterances.json'), JSON.stringify(utterances));
}
