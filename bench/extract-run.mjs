// What an extraction run costs over its encoders: the wall time of the run (plan, decode, encode, write) over that of the
// encoders alone on the same decoded input, less 1.
//
//   node bench/extract-run.mjs [--model random-wavlm-large] [--kind wav|mp4] [--clips 200] [--rounds 3] [--threads N]
//                              [--dtype fp32|int8] [--folder DIR]                              (after `make setup`)
//
// Weights are random, made here at the model's full size. Clips have the lengths of MELD's (its annotation in ../shared/data
// where it is there, else a log-normal distribution like it). `mp4` are h264 + AAC 5.1 at 48 kHz. Rounds are interleaved; both
// sides load the model themselves, each in a process of its own.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pLimit from 'p-limit';
import { encodeWav, Rng, sha256Hex } from '../packages/datasets/dist/index.js';
import {
  decodeClips,
  DEFAULT_DECODE_POLICY,
  DEFAULT_FEATURE_OPTIONS,
  extractFeatures,
  readModel,
  requireFfmpeg,
} from '../packages/extract/dist/index.js';
import { LocalEncoder } from '../packages/extract/dist/run/encoder.js';
import { lanesFor } from '../packages/extract/dist/run/encoder-lanes.js';
import { startEncoder } from '../packages/extract/dist/run/extract-options.js';
import { usableCores } from '../packages/onnx/dist/index.js';
import { makeRandomModel } from './random-models.mjs';

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', default: 'random-wavlm-large' },
    kind: { type: 'string', default: 'wav' },
    clips: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: String(usableCores()) },
    dtype: { type: 'string', default: 'fp32' },
    folder: { type: 'string', default: join(tmpdir(), 'lsgmer-bench') },
  },
});
const threads = Number(args.threads);
const count = Number(args.clips);
const corpus = join(args.folder, `meld-like-${count}-${args.kind}`);
const modelFolder = await makeRandomModel(args.model, join(args.folder, 'models'));
const model = readModel(modelFolder, { ...DEFAULT_FEATURE_OPTIONS, compute: args.dtype });

if (positionals[0] === 'alone') await alone();
else if (positionals[0] === 'run') await run();
else await compare();

/** Seconds of MELD's clips, spread evenly over all of them. */
function lengths() {
  const csv = fileURLToPath(new URL('../../shared/data/meld/train_sent_emo.csv', import.meta.url));
  const rng = Rng.for('bench clips');
  if (!existsSync(csv))
    return Array.from({ length: count }, () =>
      Math.min(35, Math.max(0.4, 2.4 * Math.exp(0.7 * normal(rng)))),
    );
  const times = [
    ...readFileSync(csv, 'utf8').matchAll(/"(\d+):(\d+):(\d+),(\d+)","(\d+):(\d+):(\d+),(\d+)"\r?\n/g),
  ];
  const seconds = (h, m, s, ms) => 3600 * h + 60 * m + +s + ms / 1000;
  const all = times
    .map(([, ...t]) => seconds(...t.slice(4)) - seconds(...t.slice(0, 4)))
    .filter((s) => s > 0.1);
  return Array.from({ length: count }, (_, i) =>
    Math.min(35, all[Math.floor(((i + 0.5) * all.length) / count)]),
  );
}

function normal(rng) {
  return Math.sqrt(-2 * Math.log(1 - rng.uniform())) * Math.cos(2 * Math.PI * rng.uniform());
}

/** A corpus of noise that swells like syllables; made once. */
async function makeCorpus() {
  const list = join(corpus, 'utterances.json');
  if (existsSync(list)) return JSON.parse(readFileSync(list, 'utf8'));
  mkdirSync(corpus, { recursive: true });
  const rng = Rng.for('bench sound');
  const binary = args.kind === 'mp4' ? (await requireFfmpeg('clips are made')).path : '';
  const utterances = lengths().map((seconds, i) => {
    const samples = Float32Array.from(
      { length: Math.round(16_000 * seconds) },
      (_, t) => 0.3 * (rng.uniform() - 0.5) * (0.6 + 0.4 * Math.sin(t / 900)),
    );
    const wav = join(corpus, `u${i}.wav`);
    writeFileSync(wav, encodeWav(samples, 16_000));
    const name = `u${i}.${args.kind}`;
    if (args.kind === 'mp4') {
      const video = ['-f', 'lavfi', '-i', `testsrc2=size=1280x720:rate=24:duration=${seconds}`];
      const sound = ['-ac', '6', '-ar', '48000', '-c:a', 'aac', '-b:a', '384k'];
      const made = spawnSync(
        binary,
        [
          '-nostdin',
          '-v',
          'error',
          '-y',
          '-i',
          wav,
          ...video,
          '-map',
          '1:v',
          '-map',
          '0:a',
          ...sound,
          '-c:v',
          'libx264',
        ].concat(['-preset', 'ultrafast', '-shortest', join(corpus, name)]),
        { encoding: 'utf8' },
      );
      if (made.status !== 0) throw new Error(made.stderr);
      rmSync(wav);
    }
    const sha256 = sha256Hex(readFileSync(join(corpus, name)));
    const media = { path: name, sha256, seconds, sampleRate: null, channels: null };
    return { id: `bench/u${String(i).padStart(4, '0')}`, dataset: 'bench', split: 'train', media };
  });
  const rows = utterances.map((row) => ({
    ...row,
    session: null,
    dialogue: null,
    turn: null,
    speaker: null,
    rawLabel: null,
    annotations: {},
    text: '',
    rawText: '',
    textSource: 'none',
    tags: {},
  }));
  writeFileSync(list, JSON.stringify(rows));
  return rows;
}

/** The whole run, in this process; prints seconds. */
async function run() {
  const utterances = await makeCorpus();
  const store = join(args.folder, 'store');
  rmSync(store, { recursive: true, force: true });
  const before = performance.now();
  const [set] = await extractFeatures({
    dataset: 'bench',
    root: corpus,
    utterances,
    models: [model],
    store,
    device: 'cpu',
    threads,
  });
  const seconds = (performance.now() - before) / 1000;
  if (set.computed !== count) throw new Error(`${set.computed} of ${count} computed`);
  rmSync(store, { recursive: true, force: true });
  // The encoder process is killed at the end: its CPU time counts once it is gone.
  await new Promise((resolve) => setTimeout(resolve, 500));
  process.stdout.write(JSON.stringify({ seconds, cpu: cpuSeconds() }), () => process.exit(0));
}

/** The encoders alone: the decoded clips are in memory, nothing else happens in the process. */
async function alone() {
  const utterances = await makeCorpus();
  const paths = utterances.map(({ media }) => ({ path: join(corpus, media.path) }));
  const decoded = await decodeClips(paths, {
    policy: DEFAULT_DECODE_POLICY,
    sampleRate: 16_000,
    ffmpeg: requireFfmpeg,
    processes: threads,
  });
  const idle = cpuSeconds();
  const before = performance.now();
  // Several encoders are processes of their own; one is in this process, so that nothing is on its way to it.
  const settings = { device: 'cpu', threads };
  const encoder =
    lanesFor([model], threads) === 1
      ? await LocalEncoder.start([model], settings)
      : await startEncoder([model], settings);
  const loaded = performance.now();
  let steps = 0;
  // As many at once as the run has on their way.
  const limit = pLimit(2 + 2 * encoder.lanes);
  await Promise.all(
    decoded.map(({ samples }) =>
      limit(async () => {
        steps += (await encoder.encode(0, [samples], [0]))[0][0].n;
      }),
    ),
  );
  const after = performance.now();
  const answer = {
    seconds: (after - before) / 1000,
    load: (loaded - before) / 1000,
    cpu: 0,
    steps,
  };
  await encoder.close();
  await new Promise((resolve) => setTimeout(resolve, 500));
  answer.cpu = cpuSeconds() - idle;
  process.stdout.write(JSON.stringify(answer), () => process.exit(0));
}

/** Of this process and of those that it has waited for. */
function cpuSeconds() {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  // Fields 16 and 17 of /proc/self/stat: children, in ticks of 10 ms.
  const stat = existsSync('/proc/self/stat')
    ? readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ')
    : [];
  return (userCPUTime + systemCPUTime) / 1e6 + (Number(stat[13] ?? 0) + Number(stat[14] ?? 0)) / 100;
}

async function compare() {
  const utterances = await makeCorpus();
  const sound = utterances.reduce((sum, { media }) => sum + media.seconds, 0);
  console.log(
    `${args.model} ${args.dtype}, ${count} clips (${sound.toFixed(0)} s of ${args.kind}), ${threads} threads`,
  );
  const results = { run: [], alone: [] };
  for (let round = 0; round < Number(args.rounds); round++) {
    for (const side of ['alone', 'run']) {
      const result = await inProcess(side);
      results[side].push(result);
      console.log(
        `${side.padEnd(5)} ${result.seconds.toFixed(1)} s, ${(sound / result.seconds).toFixed(2)} audio s/s, ${result.cpu.toFixed(1)} CPU s`,
      );
    }
  }
  const median = (key, side) =>
    results[side].map((one) => one[key]).sort((a, b) => a - b)[Math.floor(results[side].length / 2)];
  const over = (key) => `${(100 * (median(key, 'run') / median(key, 'alone') - 1)).toFixed(1)} %`;
  console.log(
    `medians: the run takes ${over('seconds')} more wall time than its encoders alone, ${over('cpu')} more CPU time`,
  );
}

function inProcess(side) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url), side, ...process.argv.slice(2)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout.on('data', (chunk) => (out += chunk));
    child.on('close', (code) =>
      code === 0 ? resolve(JSON.parse(out)) : reject(new Error(`${side} ended with ${code}`)),
    );
  });
}
