import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { Rng, openFeatureSet } from '@lsgmer/datasets';
import { TINY_NAMES, makeTinyModel } from '../../src/models/tiny.ts';
import { extractFeatures } from '../../src/run/extract.ts';
import { COMPARING } from '../../src/run/changed-media.ts';
import { makeCorpus } from './corpus.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-killed-'));
afterAll(() => rmSync(folder, { recursive: true }));

const UTTERANCES = 48;

type Message =
  | { readonly task: string; readonly done: number }
  | { readonly sets: NonNullable<Ended['sets']> };

/** So many milliseconds after so many batches of the models of such a name. */
interface Kill {
  readonly at: string;
  readonly batches: number;
  readonly after: number;
}

interface Ended {
  /** Rows that it said were done, all models together. */
  readonly rows: number;
  /** What the run said of each set, where it came to its end. */
  readonly sets?: readonly { readonly computed: number; readonly done: number }[];
  readonly killed: boolean;
}

/** Runs an extraction to its end, or kills it. */
function run(what: object, kill?: Kill): Promise<Ended> {
  const script = fileURLToPath(new URL('killed-process.mjs', import.meta.url));
  const child = fork(script, [JSON.stringify(what)], { execArgv: [] });
  return new Promise((resolve, reject) => {
    let batches = 0;
    let sets: Ended['sets'];
    const done = new Map<string, number>();
    child.on('message', (message: Message) => {
      if ('sets' in message) {
        ({ sets } = message);
        return;
      }
      if (message.task === COMPARING) return;
      done.set(message.task, message.done);
      if (kill !== undefined && message.task.includes(kill.at) && ++batches === kill.batches)
        setTimeout(() => child.kill('SIGKILL'), kill.after);
    });
    child.on('close', (code, signal) => {
      const rows = [...done.values()].reduce((sum, count) => sum + count, 0);
      if (signal === 'SIGKILL') resolve({ killed: true, rows });
      else if (code === 0) resolve({ killed: false, rows, ...(sets === undefined ? {} : { sets }) });
      else reject(new Error(`the run ended with ${code ?? signal}`));
    });
  });
}

/** id, n, bytes and xxh64 of every row of every set. */
function rowsOf(store: string): string[] {
  return TINY_NAMES.flatMap((feature) => {
    const set = openFeatureSet({ stores: [store], dataset: 'toy', feature });
    const rows = set.ids().map((id) => {
      const { n, values } = set.read(id);
      const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
      return `${feature} ${id} ${n} ${bytes} ${set.rowHash(id)}`;
    });
    set.close();
    return rows;
  });
}

describe('an extraction killed with SIGKILL', () => {
  it('gives the rows of an undisturbed one, and computes again only what was in hand', async () => {
    const rng = Rng.for('killed', 1);
    const lengths = Array.from({ length: UTTERANCES }, () => 4000 + rng.int(24_000));
    const root = join(folder, 'corpus');
    const models = join(folder, 'models');
    const utterances = makeCorpus(root, lengths);
    const texts = utterances.map(({ text }) => text);
    const whole = join(folder, 'whole');
    await extractFeatures({
      dataset: 'toy',
      root,
      utterances,
      models: TINY_NAMES.map((name) => makeTinyModel(name, models, texts)),
      store: whole,
      device: 'cpu',
      threads: 1,
      encoders: 'inside',
    });
    const manifest = join(folder, 'manifest.json');
    writeFileSync(manifest, JSON.stringify(utterances));
    const store = join(folder, 'disturbed');
    let said = 0;
    for (const at of ['roberta', 'wavlm']) {
      const kill = { at, batches: 1 + rng.int(4), after: rng.int(30) };
      const ended = await run({ root, manifest, models, store }, kill);
      expect(ended.killed).toBe(true);
      said += ended.rows;
    }
    const { sets = [] } = await run({ root, manifest, models, store });
    expect(rowsOf(store)).toEqual(rowsOf(whole));
    expect(sets.map(({ computed, done }) => computed + done)).toEqual(TINY_NAMES.map(() => UTTERANCES));
    // no shard was ever finished, and yet no row is lost that a run said was done
    const kept = sets.reduce((sum, { done }) => sum + done, 0);
    expect(said).toBeGreaterThan(0);
    expect(kept).toBeGreaterThanOrEqual(said);
  });
});
