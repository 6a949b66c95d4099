// One epoch of training over a set with MELD's lengths: ours from float16 shards, PyTorch as people have it today (a .npy
// an utterance, random order, padded to the longest), and PyTorch fed with our buckets.
//
//   PYTHON=.venv/bin/python node bench/epoch.mjs [--meld ../shared/data/meld] [--utterances 1000] [--rounds 5] [--cold]
//
// Lengths come from the CSV's times (cut at 35 s) and words; values are invented: 768 a token, 1,024 a frame (50 a second),
// 1,792 a map step (4 a second). The models are those of the step benchmark, AdamW included, 2 threads each. `--cold` drops
// the page cache before every epoch (root only). The temporary folder (about 2.5 GB at 1,000 utterances) is removed.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { decodeHalf, encodeHalf, fingerprintOf, openFeatureSetWriter, Rng } from '@lsgmer/datasets';
import { median, startSide } from './sides.mjs';

const { values } = parseArgs({
  options: {
    meld: { type: 'string', default: '../shared/data/meld' },
    utterances: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: '2' },
    workers: { type: 'string', default: '2' },
    folder: { type: 'string', default: tmpdir() },
    python: { type: 'string', default: process.env.PYTHON ?? 'python3' },
    only: { type: 'string' },
    cold: { type: 'boolean', default: false },
  },
});
const SETS = {
  text: { kind: 'text', dim: 768, firstSeconds: null, stepSeconds: null },
  audio: { kind: 'audio', dim: 1024, firstSeconds: 200 / 16000, stepSeconds: 320 / 16000 },
  map: { kind: 'audio', dim: 1792, firstSeconds: 31.5 / 128, stepSeconds: 32 / 128 },
};

/** Every k-th row of the training CSV, so that `count` rows cover the whole file. */
function lengthsOf(count) {
  const seconds = (time) =>
    time.split(/[:,]/).reduce((sum, part, i) => sum + Number(part) * [3600, 60, 1, 0.001][i], 0);
  const rows = [];
  for (const line of readFileSync(join(values.meld, 'train_sent_emo.csv'), 'utf8').split('\r\n').slice(1)) {
    const found = /^\d+,(.*),[^,]*,[a-z]+,[a-z]+,\d+,\d+,\d+,\d+,"([\d:,]+)","([\d:,]+)"$/.exec(line);
    if (found === null) continue;
    const clip = Math.min(35, Math.max(0.1, seconds(found[3]) - seconds(found[2])));
    const words = found[1].split(/\s+/).length;
    const frames = Math.max(1, Math.floor((clip * 16000 - 400) / 320) + 1);
    rows.push({ text: Math.round(1.3 * words) + 2, audio: frames, map: Math.max(1, Math.round(clip * 4)) });
  }
  return Array.from({ length: count }, (_, i) => rows[Math.floor((i * rows.length) / count)]);
}

/** The values of an utterance: a piece of a long noise, rounded to float16, so that both sides train on equal numbers. */
function writeData(folder, lengths) {
  const rng = Rng.for('epoch benchmark');
  const bits = new Uint16Array(1 << 22);
  encodeHalf(rng.normals(bits.length), bits);
  const noise = new Float32Array(bits.length);
  decodeHalf(bits, noise, 0);
  for (const [feature, { kind, dim, firstSeconds, stepSeconds }] of Object.entries(SETS)) {
    const computation = { encoder: `bench ${feature}` };
    const spec = {
      format: 1,
      dataset: 'bench',
      feature,
      fingerprint: fingerprintOf(computation),
      kind,
      dim,
      dtype: 'float16',
      firstSeconds,
      stepSeconds,
      computation,
      provenance: {},
    };
    const writer = openFeatureSetWriter({ store: join(folder, 'store'), spec, part: 'bench' });
    mkdirSync(join(folder, 'npy', feature), { recursive: true });
    lengths.forEach((row, i) => {
      const n = row[feature];
      const from = rng.int(noise.length - n * dim);
      const features = noise.subarray(from, from + n * dim);
      const tokens =
        kind === 'text' ? { tokenIds: new Int32Array(n), tokenSpans: new Int32Array(2 * n) } : {};
      writer.append({ id: `bench/u${i}`, split: null, n, features, input: String(i), ...tokens });
      writeFileSync(join(folder, 'npy', feature, `${i}.npy`), npy(features, n, dim));
    });
    writer.close();
  }
}

function npy(values, rows, columns) {
  const dict = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  const header = `${dict.padEnd(117)}\n`;
  return Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00v\x00', 'latin1'),
    Buffer.from(header),
    Buffer.from(values.buffer, values.byteOffset, values.byteLength),
  ]);
}

function dropCaches() {
  execFileSync('sync');
  writeFileSync('/proc/sys/vm/drop_caches', '3');
}

const folder = mkdtempSync(join(values.folder, 'lsgmer-bench-'));
try {
  const lengths = lengthsOf(Number(values.utterances));
  writeData(folder, lengths);
  const labels = lengths.map((_, i) => i % 7);
  writeFileSync(join(folder, 'rows.json'), JSON.stringify({ lengths, labels }));
  const peer = [values.python, 'bench/epoch-peer.py'];
  const sides = [
    {
      name: 'torch, .npy, random order',
      command: [...peer, 'today', folder, values.threads, values.workers],
    },
    { name: 'torch, our buckets', command: [...peer, 'buckets', folder, values.threads, values.workers] },
    { name: 'lsgmer', command: ['node', 'bench/epoch-ours.mjs', folder, values.threads] },
  ].filter(({ name }) => values.only === undefined || name.includes(values.only));
  // ours first: it writes the buckets that the second side trains on
  const running = [...sides].reverse().map(startSide).reverse();
  for (const side of [...running].reverse()) await side.ask('epoch 0'); // warm up
  const load = loadavg()[0];
  for (let round = 1; round <= Number(values.rounds); round++) {
    for (const side of running) {
      if (values.cold) dropCaches();
      const { seconds, waited } = await side.ask(`epoch ${round}`);
      side.times.push(seconds);
      side.waited = [...(side.waited ?? []), ...(waited === undefined ? [] : [waited / seconds])];
    }
  }
  const frames = lengths.reduce((sum, { audio }) => sum + audio, 0);
  console.log(
    `epoch of ${lengths.length} utterances (${frames} frames, longest ${Math.max(...lengths.map(({ audio }) => audio))}), ${values.cold ? 'cold' : 'warm'}, ${values.threads} threads, ${values.rounds} interleaved rounds; load average ${load.toFixed(2)}`,
  );
  const ours = running.find(({ name }) => name === 'lsgmer');
  for (const side of running) {
    const { mib } = await side.ask('memory');
    const ratio =
      side === ours || ours === undefined
        ? ''
        : `  lsgmer is ${(median(side.times) / median(ours.times)).toFixed(2)} times as fast`;
    const waited =
      side.waited.length === 0 ? '' : `  waited for batches ${(100 * median(side.waited)).toFixed(1)} %`;
    console.log(
      `  ${side.name.padEnd(26)} median ${median(side.times).toFixed(1).padStart(6)} s (${Math.min(...side.times).toFixed(1)}-${Math.max(...side.times).toFixed(1)})  peak ${mib} MiB${ratio}${waited}`,
    );
  }
  for (const side of running) side.end();
} finally {
  rmSync(folder, { recursive: true });
}
