// Memory of the store does not grow with its shards: an epoch in buckets, an export, an import.
//
//   npm run build && node test/claims/store-memory.mjs [--sizes 1,4,10] [--exchange 1,4] [--folder <temporary>]
//
// One float16 set of invented utterances (1,024 dimensions, lengths as in bench/store-read.mjs) grows to each size in GB of
// shards; at each a fresh process reads every row once, in shuffled batches of 32 of similar length, checksums compared.
// At the sizes of --exchange it is exported as .npy, safetensors and Parquet, and the .npy and Parquet files are imported again.
// Printed: peak resident memory of the process. Fails where a peak at the largest size is above 1.25 times the one at the
// smallest, plus 64 MB. Needs three times the largest size of disk, in a folder that is removed.
import { fork } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  exportFeatures,
  fingerprintOf,
  importFeatures,
  openFeatureSet,
  openFeatureSetWriter,
  openForeign,
  Rng,
} from '@lsgmer/datasets';

const DIM = 1024;
const ROWS = 32;
const LONGEST = 1749;

const computation = { encoder: 'memory', dtype: 'float16' };
const times = { firstSeconds: 0.0125, stepSeconds: 0.02 };
const name = { dataset: 'memory', feature: 'frames', fingerprint: fingerprintOf(computation) };
const spec = {
  format: 1,
  ...name,
  kind: 'audio',
  dim: DIM,
  dtype: 'float16',
  ...times,
  computation,
  provenance: {},
};

/** Writes rows from number `first` on until so many bytes of shards are there. @returns the number after the last. */
function grow(store, first, bytes) {
  const rng = Rng.for('memory', first);
  const noise = rng.normals(1 << 20);
  const writer = openFeatureSetWriter({ store, spec, part: `from${first}` });
  let i = first;
  for (let written = 0; written < bytes; i++) {
    const n = Math.min(LONGEST, Math.max(25, Math.round(210 * Math.exp(0.65 * rng.normal()))));
    const features = new Float32Array(n * DIM);
    for (let at = 0; at < features.length; at += 65536) {
      const from = rng.int(noise.length - 65536);
      features.set(noise.subarray(from, from + Math.min(65536, features.length - at)), at);
    }
    writer.append({ id: `memory/u${i}`, split: 'train', n, features, input: 'x' });
    written += 2 * features.length;
  }
  writer.close();
  return i;
}

const open = (store) => openFeatureSet({ stores: [store], dataset: name.dataset, feature: name.feature });

const WORK = {
  grow: (store, first, bytes) => grow(store, Number(first), Number(bytes)),
  async epoch(store) {
    const set = open(store);
    const ids = set.ids().sort((a, b) => set.length(a) - set.length(b));
    const batches = [];
    for (let i = 0; i < ids.length; i += ROWS) batches.push(ids.slice(i, i + ROWS));
    const memory = new Uint16Array(ROWS * LONGEST * DIM);
    for (const batch of Rng.for('order').shuffle(batches))
      await set.readPadded(batch, Math.max(...batch.map((id) => set.length(id))), memory);
    set.close();
    return ids.length;
  },
  async export(store, out, to) {
    const set = open(store);
    const { rows } = await exportFeatures({ set, to, out, pool: null, force: false });
    set.close();
    return rows;
  },
  async import(store, path, into, rows) {
    const utterances = Array.from({ length: Number(rows) }, (_, i) => ({
      id: `memory/u${i}`,
      split: 'train',
    }));
    const report = await importFeatures({
      ...name,
      kind: 'audio',
      source: await openForeign(path, {}),
      utterances,
      inputOf: () => 'x',
      store: into,
      layout: { transpose: false, layer: null, dim: null },
      dtype: 'float16',
      onOverflow: 'error',
      onInvalid: 'error',
      onUnknown: 'error',
      ...times,
      provenance: {},
    });
    return report.written;
  },
};

if (process.send) {
  const [work, ...rest] = process.argv.slice(2);
  const started = performance.now();
  const result = await WORK[work](...rest);
  const seconds = (performance.now() - started) / 1000;
  process.send({ result, seconds, peak: process.resourceUsage().maxRSS / 1024 }, () => process.exit(0));
} else {
  await main();
}

/** Runs one piece of work in a process of its own. */
function run(...args) {
  return new Promise((done, failed) => {
    const child = fork(fileURLToPath(import.meta.url), args.map(String));
    let answer;
    child.on('message', (message) => (answer = message));
    child.on('close', (code) =>
      answer ? done(answer) : failed(new Error(`${args.join(' ')}: exit ${code}`)),
    );
  });
}

async function main() {
  const { values } = parseArgs({
    options: {
      sizes: { type: 'string', default: '1,4,10' },
      exchange: { type: 'string', default: '1,4' },
      folder: { type: 'string', default: tmpdir() },
    },
  });
  const numbers = (text) => text.split(',').filter(Boolean).map(Number);
  const exchange = numbers(values.exchange);
  const folder = mkdtempSync(join(values.folder, 'lsgmer-memory-'));
  const store = join(folder, 'store');
  const peaks = new Map();
  const show = (what, size, { peak, seconds, result }) => {
    console.log(
      `${size} GB  ${what.padEnd(20)} ${String(result).padStart(6)} rows  peak ${peak.toFixed(0).padStart(5)} MB  ${seconds.toFixed(0).padStart(4)} s  load ${loadavg()[0].toFixed(1)}`,
    );
    peaks.set(what, [...(peaks.get(what) ?? []), peak]);
  };
  try {
    let rows = 0;
    let before = 0;
    for (const size of numbers(values.sizes)) {
      const grown = await run('grow', store, rows, (size - before) * 1e9);
      [rows, before] = [grown.result, size];
      show('epoch', size, await run('epoch', store));
      if (!exchange.includes(size)) continue;
      for (const to of ['npy', 'parquet', 'safetensors']) {
        const out = join(folder, to);
        show(`export ${to}`, size, await run('export', store, out, to));
        const into = join(folder, `from-${to}`);
        if (to !== 'safetensors') show(`import ${to}`, size, await run('import', store, out, into, rows));
        for (const done of [out, into]) if (existsSync(done)) rmSync(done, { recursive: true });
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  for (const [what, list] of peaks) {
    const [first, last] = [list[0], list.at(-1)];
    const flat = last <= 1.25 * first + 64;
    console.log(`${what}: ${first.toFixed(0)} -> ${last.toFixed(0)} MB: ${flat ? 'flat' : 'GROWS'}`);
    if (!flat) process.exitCode = 1;
  }
}
