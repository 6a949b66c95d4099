// Batch assembly from shards: ours against pyarrow memory-mapping the same files, into the same padded output.
//
//   npm run build && PYTHON=.venv/bin/python node bench/store-read.mjs [--rounds 7] [--utterances 1200] [--folder <temporary>]
//
// 1,200 invented utterances of 1,024 dimensions in float16 (about 0.64 GB, in a temporary folder that is removed),
// read warm as 38 batches of 32 of similar length, each into one buffer [32, longest, 1024] with zeros behind the
// shorter rows. The sha256 of all batches must be equal on both sides; then passes alternate, and medians are
// compared. store-read.py says what its two ways are.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  batchMemory,
  batchValues,
  fingerprintOf,
  openFeatureSet,
  openFeatureSetWriter,
  Rng,
} from '@lsgmer/datasets';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    utterances: { type: 'string', default: '1200' },
    folder: { type: 'string', default: tmpdir() },
    python: { type: 'string', default: process.env.PYTHON ?? 'python3' },
  },
});

const ROWS = 32;
const DIM = 1024;
const computation = { encoder: 'bench', dtype: 'float16' };
const spec = {
  format: 1,
  dataset: 'bench',
  feature: 'frames',
  fingerprint: fingerprintOf(computation),
  kind: 'audio',
  dim: DIM,
  dtype: 'float16',
  firstSeconds: 0.0125,
  stepSeconds: 0.02,
  computation,
  provenance: {},
};

/** Lengths like those of utterances at 50 frames a second: log-normal, 5 s on average, at most 35 s. */
function frames(rng) {
  return Math.min(1749, Math.max(25, Math.round(210 * Math.exp(0.65 * rng.normal()))));
}

function writeSet(store) {
  const rng = Rng.for('store-read');
  const noise = rng.normals(1 << 20);
  const writer = openFeatureSetWriter({ store, spec, part: 'bench' });
  const started = performance.now();
  let bytes = 0;
  for (let i = 0; i < Number(values.utterances); i++) {
    const n = frames(rng);
    const features = new Float32Array(n * DIM);
    for (let at = 0; at < features.length; at += 65536) {
      const from = rng.int(noise.length - 65536);
      features.set(noise.subarray(from, from + Math.min(65536, features.length - at)), at);
    }
    writer.append({ id: `bench/u${i}`, split: null, n, features, input: String(i) });
    bytes += features.byteLength;
  }
  writer.close();
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `written: ${(bytes / 1e9).toFixed(2)} GB of float32 in ${seconds.toFixed(1)} s (${(bytes / 1e6 / seconds).toFixed(0)} MB/s, the making of it included)`,
  );
}

/** Batches of ids of similar length, in a random order. */
function bucketed(set) {
  const ids = set.ids().sort((a, b) => set.length(a) - set.length(b));
  const batches = [];
  for (let i = 0; i < ids.length; i += ROWS) batches.push(ids.slice(i, i + ROWS));
  return Rng.for('order').shuffle(batches);
}

/** Reads a batch into the pooled buffer, row after row on this thread (`readPadded` does it with four reads in flight). @returns the part of it that holds the batch, [rows, longest, DIM]. */
function assemble(set, ids, pool) {
  const longest = Math.max(...ids.map((id) => set.length(id)));
  const width = longest * DIM;
  ids.forEach((id, row) => {
    const n = set.readInto(id, pool, row * width);
    pool.fill(0, row * width + n * DIM, (row + 1) * width);
  });
  return pool.subarray(0, ids.length * width);
}

async function inFlightPass(set, batches, pool) {
  const started = performance.now();
  for (const ids of batches) await set.readPadded(ids, Math.max(...ids.map((id) => set.length(id))), pool);
  return performance.now() - started;
}

const pass = (set, batches, pool) => {
  const started = performance.now();
  for (const ids of batches) assemble(set, ids, pool);
  return performance.now() - started;
};

function startPeer(store, plan) {
  const script = fileURLToPath(new URL('store-read.py', import.meta.url));
  const child = spawn(
    values.python,
    [script, join(store, 'bench', 'frames', spec.fingerprint, 'shards'), plan],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ask: async (line) => {
      child.stdin.write(`${line}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`the pyarrow side ended (exit code ${child.exitCode})`);
      return JSON.parse(value);
    },
    end: () => child.stdin.end(),
  };
}

const median = (xs) => {
  const s = [...xs].sort((a, b) => a - b);
  return s.length % 2 ? s[s.length >> 1] : (s[s.length / 2 - 1] + s[s.length / 2]) / 2;
};

const folder = mkdtempSync(join(values.folder, 'lsgmer-bench-'));
try {
  const store = join(folder, 'store');
  writeSet(store);
  const choice = { stores: [store], dataset: 'bench', feature: 'frames' };
  const planned = openFeatureSet(choice);
  const batches = bucketed(planned);
  const lengths = planned.ids().map((id) => planned.length(id));
  planned.close();
  const plan = join(folder, 'plan.json');
  writeFileSync(plan, JSON.stringify(batches));
  const peer = startPeer(store, plan);
  const size = ROWS * Math.max(...lengths) * DIM;
  const pool = batchValues(batchMemory(2 * size), 'float16', size);

  const hash = createHash('sha256');
  const checked = openFeatureSet(choice);
  for (const ids of batches) hash.update(assemble(checked, ids, pool));
  checked.close();
  const digest = hash.digest('hex');
  for (const way of ['rows', 'views']) {
    const { sha256 } = await peer.ask(`check ${way}`);
    if (sha256 !== digest) throw new Error(`pyarrow (${way}) assembles other batches`);
  }

  const opening = performance.now();
  const set = openFeatureSet(choice);
  for (const id of batches.flat()) set.length(id);
  const opened = performance.now() - opening;
  const first = await inFlightPass(set, batches, pool);
  const times = { ours: [], 'ours, in turn': [], 'pyarrow rows': [], 'pyarrow views': [] };
  const load = loadavg()[0];
  for (let round = 0; round < Number(values.rounds); round++) {
    times.ours.push(await inFlightPass(set, batches, pool));
    times['ours, in turn'].push(pass(set, batches, pool));
    times['pyarrow rows'].push((await peer.ask('run rows 1')).ms[0]);
    times['pyarrow views'].push((await peer.ask('run views 1')).ms[0]);
  }
  const rate = (ms) => `${Math.round((lengths.length / ms) * 1000)} utterances/s`;
  const mean = lengths.reduce((a, b) => a + b) / lengths.length;
  console.log(
    `${lengths.length} utterances, ${mean.toFixed(0)} frames of ${DIM} on average; load average ${load.toFixed(2)}`,
  );
  console.log(
    `opened and checked the metadata of all shards in ${opened.toFixed(1)} ms; first pass, every row's xxh64 checked: ${rate(first)}`,
  );
  for (const [side, ms] of Object.entries(times)) {
    const ratio =
      side === 'ours' ? '' : `; ours is ${(median(ms) / median(times.ours)).toFixed(2)} times as fast`;
    console.log(
      `${side.padEnd(13)} median ${rate(median(ms))} (${rate(Math.max(...ms))} to ${rate(Math.min(...ms))})${ratio}`,
    );
  }
  console.log(
    `peak memory: ours ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB with writing, pyarrow ${(await peer.ask('memory')).mib} MiB with mapped pages`,
  );
  set.close();
  peer.end();
} finally {
  rmSync(folder, { recursive: true });
}
