// Shows that no damage of a feature set goes unnoticed, and that repair mends all of it. Ends with code 1 where not:
//
//   node test/claims/store-damage.mjs [--flips 1000] [--seed 1]        (after `make setup`)
//
// Sets of text and audio, float16 and float32, in several shards. Each round damages one file of a whole set:
// - single-bit flips: in feature values, ids, lengths, footers and index, and anywhere
// - truncation, zeroed pages, garbage at the end, a missing file
// Each must be noticed by a reader that reads every row, as training does, before a wrong value is handed out, and by
// verify; then repair, and what extraction would write again; then every row must be right and verify clean.
import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { appendFileSync, readdirSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  encodeHalf,
  fingerprintOf,
  isDamaged,
  locateSets,
  openFeatureSet,
  openFeatureSetWriter,
  planExtraction,
  readFeatureSetIndex,
  repairSet,
  Rng,
  UserError,
  verifySet,
} from '../../packages/datasets/dist/index.js';

const { values } = parseArgs({
  options: { flips: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
});
const flips = Number(values.flips);
const root = mkdtempSync(join(tmpdir(), 'lsgmer-damage-'));
const now = new Date('2026-01-01T00:00:00Z');
const SHARD_BYTES = 16_000;

function specOf(kind, dtype) {
  const computation = { encoder: `claim-${kind}`, dtype };
  const time = kind === 'text' ? null : 0.02;
  return {
    format: 1,
    dataset: 'claim',
    feature: `claim-${kind}-${dtype}`,
    fingerprint: fingerprintOf(computation),
    kind,
    dim: 8,
    dtype,
    firstSeconds: time,
    stepSeconds: time,
    computation,
    provenance: {},
  };
}

function rowOf(spec, i) {
  const rng = Rng.for('claim', spec.feature, i);
  const n = 1 + rng.int(12);
  const row = {
    id: `claim/u${i}`,
    split: i % 3 ? 'train' : 'test',
    n,
    features: rng.normals(n * spec.dim),
    input: `input-${i}`,
  };
  if (spec.kind === 'audio') return row;
  return {
    ...row,
    tokenIds: Int32Array.from({ length: n }, () => rng.int(50_000)),
    tokenSpans: Int32Array.from({ length: 2 * n }, (_, k) => 3 * k),
  };
}

const sets = [
  ['audio', 'float16'],
  ['text', 'float16'],
  ['audio', 'float32'],
].map(([kind, dtype]) => {
  const spec = specOf(kind, dtype);
  const rows = Array.from({ length: 150 }, (_, i) => rowOf(spec, i));
  const store = join(root, `whole-${spec.feature}`);
  write(store, spec, rows);
  return { spec, rows, store };
});

function write(store, spec, rows) {
  const writer = openFeatureSetWriter({ store, spec, part: 'main', shardBytes: SHARD_BYTES });
  const { todo, stale } = planExtraction(rows, readFeatureSetIndex([store], spec));
  const left = new Set([...todo, ...stale]);
  for (const row of rows) if (left.has(row.id)) writer.append(row);
  writer.close();
  return left.size;
}

const bytes = (a) => (a === undefined ? Buffer.alloc(0) : Buffer.from(a.buffer, a.byteOffset, a.byteLength));
const equal = (a, b) => Buffer.compare(bytes(a), bytes(b)) === 0;

/** 'right', 'refused', or 'WRONG': a value was handed out that was never written. */
function read(store, spec, rows) {
  try {
    const set = openFeatureSet({ stores: [store], dataset: spec.dataset, feature: spec.feature });
    try {
      for (const row of rows) {
        const got = set.read(row.id);
        const right = set.dtype === 'float16' ? new Uint16Array(row.features.length) : row.features;
        if (set.dtype === 'float16') encodeHalf(row.features, right);
        if (
          got.n !== row.n ||
          !equal(got.values, right) ||
          !equal(got.tokenIds, row.tokenIds) ||
          !equal(got.tokenSpans, row.tokenSpans)
        )
          return 'WRONG';
      }
      return 'right';
    } finally {
      set.close();
    }
  } catch (error) {
    if (error instanceof UserError) return 'refused';
    console.error(error);
    return 'WRONG';
  }
}

function flip(path, bit) {
  const fd = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, bit >> 3);
  byte[0] ^= 1 << (bit & 7);
  writeSync(fd, byte, 0, 1, bit >> 3);
  closeSync(fd);
}

function zero(path, at, length) {
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.alloc(Math.min(length, statSync(path).size - at)), 0, undefined, at);
  closeSync(fd);
}

const rng = new Rng(values.seed);
const within = (from, to) => 8 * from + rng.int(8 * (to - from));

/** A place in a shard or the index, by what lies there. */
const places = {
  values: (shard) => {
    const [start, length] = rng.pick(shard.entry.values);
    return within(start, start + length);
  },
  // a batch's ids stand just before its lengths, and both before its values
  'ids and lengths': (shard) => {
    const [start] = rng.pick(shard.entry.values);
    return within(start - 600, start);
  },
  footer: (shard) => within(shard.size - 1500, shard.size),
  'anywhere in a shard': (shard) => within(0, shard.size),
};

const tally = new Map();
let failures = 0;
async function round(kind, damage) {
  const { spec, rows, store: whole } = rng.pick(sets);
  const store = join(root, 'round');
  cpSync(whole, store, { recursive: true });
  const [location] = locateSets([store], spec.dataset, spec.feature);
  const index = join(location.folder, 'index', 'main.json');
  const entry = rng.pick(JSON.parse(readFileSync(index, 'utf8')).shards);
  const path = join(location.folder, 'shards', `sha256-${entry.sha256}.arrow`);
  damage({ path, entry, size: statSync(path).size }, index, location);
  const seen = read(store, spec, rows);
  const check = await verifySet(location);
  const report = repairSet(check, { now, shardBytes: SHARD_BYTES });
  const afterRepair = isDamaged(await verifySet(location));
  const again = write(store, spec, rows);
  const after = read(store, spec, rows);
  const clean = !isDamaged(await verifySet(location));
  const good = seen === 'refused' && isDamaged(check) && !afterRepair && after === 'right' && clean;
  const sum = tally.get(kind) ?? { rounds: 0, noticed: 0, verified: 0, mended: 0, salvaged: 0, redone: 0 };
  sum.rounds++;
  sum.noticed += seen === 'refused' ? 1 : 0;
  sum.verified += isDamaged(check) ? 1 : 0;
  sum.mended += !afterRepair && after === 'right' && clean ? 1 : 0;
  sum.salvaged += report.salvaged;
  sum.redone += again;
  tally.set(kind, sum);
  if (!good) {
    failures++;
    console.log(
      `BROKEN  ${kind} in ${spec.feature}: reader ${seen}, verify ${isDamaged(check)}, after repair damaged ${afterRepair}, then ${after}, clean ${clean}`,
    );
  }
  rmSync(store, { recursive: true });
}

try {
  const kinds = [...Object.keys(places), 'index'];
  for (let i = 0; i < flips; i++) {
    const kind = kinds[i % kinds.length];
    await round(`bit flip: ${kind}`, (shard, index) => {
      if (kind === 'index') flip(index, within(0, statSync(index).size));
      else flip(shard.path, places[kind](shard));
    });
  }
  for (let i = 0; i < Math.ceil(flips / 25); i++) {
    await round('truncated', ({ path, size }) => truncateSync(path, rng.int(size)));
    await round('index truncated', (_, index) => truncateSync(index, rng.int(statSync(index).size)));
    await round('index missing', (_, index) => rmSync(index));
    await round('zeroed page', ({ path, size }) => zero(path, 4096 * rng.int(Math.ceil(size / 4096)), 4096));
    await round('garbage at the end', ({ path }) =>
      appendFileSync(path, Buffer.alloc(1 + rng.int(5000), 'x')),
    );
    await round('shard missing', ({ path }) => rmSync(path));
    await round('feature.json missing', (_, __, { folder }) =>
      truncateSync(join(folder, 'feature.json'), rng.int(50)),
    );
  }
  console.table(Object.fromEntries(tally));
  const temporary = readdirSync(root).filter((name) => name.startsWith('.tmp'));
  console.log(
    failures === 0 && temporary.length === 0
      ? 'holds: all damage was noticed and mended'
      : `BROKEN in ${failures} rounds`,
  );
} finally {
  rmSync(root, { recursive: true });
}
process.exit(failures === 0 ? 0 : 1);
