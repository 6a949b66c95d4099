// Shows that the store survives kill -9. Ends with code 1 where not:
//
//   node test/claims/store-writers.mjs [--kills 100] [--rounds 10] [--seed 1]        (after `make setup`)
//
// - a writer killed at --kills random moments in turn: every file under a final name is whole, nothing that was safe is
//   lost, the next one goes on, and no temporary file of a dead writer is left
// - --rounds times: eight writers of one set at once, two of them killed; after one rerun of those two every utterance
//   is readable once, and verify is clean
// - --kills times each: compact, and repair of a damaged set, killed at a random moment; what was readable stays
//   readable, and the next one finishes
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  compactSet,
  fingerprintOf,
  isDamaged,
  locateSets,
  openFeatureSet,
  openFeatureSetWriter,
  planExtraction,
  readFeatureSetIndex,
  repairSet,
  Rng,
  verifySet,
} from '../../packages/datasets/dist/index.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
  },
});
const now = new Date('2026-01-01T00:00:00Z');
const computation = { encoder: 'claim', version: 1 };
const spec = {
  format: 1,
  dataset: 'claim',
  feature: 'claim-audio',
  fingerprint: fingerprintOf(computation),
  kind: 'audio',
  dim: 16,
  dtype: 'float32',
  firstSeconds: 0,
  stepSeconds: 0.02,
  computation,
  provenance: {},
};
const rowOf = (i) => {
  const rng = Rng.for('claim', i);
  const n = 1 + rng.int(20);
  return { id: `claim/u${i}`, split: null, n, features: rng.normals(n * spec.dim), input: `input-${i}` };
};
const locate = (store) => locateSets([store], spec.dataset, spec.feature)[0];

if (positionals.length > 0) await child(...positionals);
else await main();

/** What a killed process was doing. It says `.` when it begins, and a writer for each row. */
async function child(what, store, part, from, to) {
  if (what === 'write') {
    const writer = openFeatureSetWriter({ store, spec, part, shardBytes: 8000 });
    const rows = Array.from({ length: to - from }, (_, i) => rowOf(Number(from) + i));
    const left = new Set(planExtraction(rows, readFeatureSetIndex([store], spec)).todo);
    for (const row of rows) {
      if (!left.has(row.id)) continue;
      writer.append(row);
      writeSync(1, '.');
    }
    writer.close();
  } else if (what === 'compact') {
    writeSync(1, '.');
    await compactSet(locate(store), spec, { shardBytes: 40_000 });
  } else {
    const check = await verifySet(locate(store));
    writeSync(1, '.');
    repairSet(check, { now, shardBytes: 40_000 });
  }
}

async function main() {
  const root = mkdtempSync(join(tmpdir(), 'lsgmer-writers-'));
  const rng = new Rng(values.seed);
  let broken = 0;
  const claim = (holds, text) => {
    console.log(`${holds ? 'holds ' : 'BROKEN'}  ${text}`);
    if (!holds) broken++;
  };
  const start = (...args) =>
    spawn(process.execPath, [fileURLToPath(import.meta.url), ...args.map(String)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  const finish = async (process) => {
    process.stdout.resume();
    await once(process, 'close');
    return process.exitCode === 0;
  };
  const killAfter = async (process, rows) => {
    let seen = 0;
    process.stdout.on('data', (bytes) => {
      seen += bytes.length;
      if (seen >= rows) process.kill('SIGKILL');
    });
    await once(process, 'close');
    return process.signalCode === 'SIGKILL';
  };
  const killSoon = async (process, most) => {
    const closed = once(process, 'close');
    await Promise.race([once(process.stdout, 'data'), closed]);
    await pause(rng.int(most));
    process.kill('SIGKILL');
    await closed;
    return process.signalCode === 'SIGKILL';
  };
  const whole = async (store) => {
    const check = await verifySet(locate(store));
    // a shard whose writer was killed before it listed it is its next run's
    return !isDamaged({ ...check, unlisted: [] }) && check.unlisted.every((shard) => shard.whole);
  };
  const readable = (store, count) => {
    const set = openFeatureSet({ stores: [store], dataset: spec.dataset, feature: spec.feature });
    try {
      const ids = set.ids();
      for (const id of ids) {
        const right = rowOf(Number(id.slice(7))).features;
        if (Buffer.compare(Buffer.from(set.read(id).values.buffer), Buffer.from(right.buffer)) !== 0)
          return false;
      }
      return ids.length === count;
    } finally {
      set.close();
    }
  };
  const noTemporary = (store) =>
    readdirSync(store, { recursive: true }).every((name) => !name.includes('.tmp-'));
  const kills = Number(values.kills);

  try {
    const store = join(root, 'writer');
    let [held, killed, good] = [0, 0, true];
    const total = 20 * kills;
    for (let i = 0; i < kills; i++) {
      if (await killAfter(start('write', store, 'main', 0, total), 1 + rng.int(40))) killed++;
      const rows = locate(store) === undefined ? 0 : readFeatureSetIndex([store], spec).rows.size;
      good &&= rows >= held && (rows === 0 || (await whole(store)));
      held = rows;
    }
    claim(
      good,
      `a writer killed ${killed} times: every file whole each time, nothing lost (${held} of ${total} rows safe)`,
    );
    const done = await finish(start('write', store, 'main', 0, total));
    claim(
      done && readable(store, total) && (await whole(store)),
      `the next one goes on: ${total} rows right`,
    );
    claim(noTemporary(store), 'no temporary file of a dead writer is left');

    good = true;
    for (let i = 0; i < Number(values.rounds); i++) {
      const shared = join(root, `shared-${i}`);
      const writer = (w) => start('write', shared, `w${w}`, 60 * w, 60 * w + 60);
      const victims = new Set(rng.shuffle([0, 1, 2, 3, 4, 5, 6, 7]).slice(0, 2));
      const work = (w) => (victims.has(w) ? killAfter(writer(w), 1 + rng.int(55)) : finish(writer(w)));
      good &&= (await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(work))).every(Boolean);
      good &&= await whole(shared);
      good &&= (await Promise.all([...victims].map((w) => finish(writer(w))))).every(Boolean);
      const { parts } = await verifySet(locate(shared));
      const listed = parts.flatMap(({ index }) => Object.keys(index.utterances));
      good &&= listed.length === 480 && new Set(listed).size === 480;
      good &&= readable(shared, 480) && (await whole(shared)) && noTemporary(shared);
    }
    claim(
      good,
      `${values.rounds} times eight writers, two killed, one rerun: every utterance once, verify clean`,
    );

    const shared = join(root, 'shared-0');
    [killed, good] = [0, true];
    for (let i = 0; i < kills; i++) {
      const copy = join(root, 'copy');
      cpSync(shared, copy, { recursive: true });
      if (await killSoon(start('compact', copy), 60)) killed++;
      good &&= readable(copy, 480) && (await whole(copy));
      await compactSet(locate(copy), spec, { shardBytes: 40_000 });
      const parts = readdirSync(join(locate(copy).folder, 'index')).filter((name) => name.endsWith('.json'));
      good &&= parts.length === 1 && readable(copy, 480) && (await whole(copy));
      rmSync(copy, { recursive: true });
    }
    claim(good, `compact killed ${killed} times of ${kills}: always complete, the next one leaves one part`);

    [killed, good] = [0, true];
    for (let i = 0; i < kills; i++) {
      const copy = join(root, 'copy');
      cpSync(shared, copy, { recursive: true });
      const { folder } = locate(copy);
      const index = join(folder, 'index', 'w3.json');
      const { shards } = JSON.parse(readFileSync(join(folder, 'index', 'w5.json'), 'utf8'));
      const shard = join(folder, 'shards', `sha256-${shards[0].sha256}.arrow`);
      for (const path of i % 2 ? [shard] : [shard, index]) {
        const bytes = readFileSync(path);
        bytes[path === index ? 40 : shards[0].values[0][0] + 4] ^= 8;
        writeFileSync(path, bytes);
      }
      if (await killSoon(start('repair', copy), 60)) killed++;
      repairSet(await verifySet(locate(copy)), { now, shardBytes: 40_000 });
      good &&= await whole(copy);
      const rows = Array.from({ length: 480 }, (_, k) => rowOf(k));
      const { todo, stale } = planExtraction(rows, readFeatureSetIndex([copy], spec));
      // one row of the shard was damaged; the index could be read but for its digest
      good &&= todo.length === 1 && stale.length <= 1;
      const writer = openFeatureSetWriter({ store: copy, spec, part: 'w0' });
      for (const row of rows) if (todo.includes(row.id) || stale.includes(row.id)) writer.append(row);
      writer.close();
      good &&= readable(copy, 480) && (await whole(copy));
      rmSync(copy, { recursive: true });
    }
    claim(good, `repair killed ${killed} times of ${kills}: the next one finishes, whole rows are kept`);
  } finally {
    rmSync(root, { recursive: true });
  }
  process.exit(broken > 0 ? 1 : 0);
}
