import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256Hex } from '../../src/base/canonical-json.ts';
import { Rng } from '../../src/base/rng.ts';
import { openFeatureSet } from '../../src/store/feature-set-reader.ts';
import { readIndexPart } from '../../src/store/index-part.ts';
import { readFeatureSetIndex } from '../../src/store/index-union.ts';
import { asStored, filesBelow, sampleFolder, sampleRow, sampleSpec, temporaryStore } from './sample.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const spec = sampleSpec();
let folder = '';
let script = '';

beforeAll(async () => {
  // inside node_modules, so that the bundle finds the packages that it leaves out
  mkdirSync(join(root, 'node_modules', '.cache'), { recursive: true });
  folder = mkdtempSync(join(root, 'node_modules', '.cache', 'store-test-'));
  script = join(folder, 'writing-process.mjs');
  const entry = fileURLToPath(new URL('writing-process.ts', import.meta.url));
  await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    outfile: script,
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

function start(store: string, part: string, from: number, to: number): ChildProcess {
  return spawn(process.execPath, [script, store, part, String(from), String(to)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Kills the writer without warning once it has appended this many rows. @returns how it ended. */
async function killAfter(child: ChildProcess, rows: number): Promise<NodeJS.Signals | null> {
  let seen = 0;
  child.stdout?.on('data', (bytes: Buffer) => {
    seen += bytes.length;
    if (seen >= rows) child.kill('SIGKILL');
  });
  await once(child, 'close');
  return child.signalCode;
}

async function finish(child: ChildProcess): Promise<void> {
  child.stdout?.resume();
  await once(child, 'close');
  expect(child.exitCode).toBe(0);
}

/** Every file under a final name is whole, and the index lists nothing that is not there. @returns rows that can be read. */
function checkWhole(store: string): number {
  const set = sampleFolder(store);
  if (!existsSync(set)) return 0;
  for (const file of filesBelow(set)) {
    if (basename(file).startsWith('.tmp-')) continue;
    if (file.endsWith('.arrow'))
      expect(`shards/sha256-${sha256Hex(readFileSync(join(set, file)))}.arrow`).toBe(file);
    else if (file.startsWith('index/')) readIndexPart(join(set, file));
    else expect(JSON.parse(readFileSync(join(set, file), 'utf8'))).toEqual(spec);
  }
  const { parts, rows } = readFeatureSetIndex([store], spec);
  for (const { index } of parts) {
    for (const { sha256 } of index.shards)
      expect(existsSync(join(set, 'shards', `sha256-${sha256}.arrow`))).toBe(true);
  }
  return rows.size;
}

function checkComplete(store: string, rows: number): void {
  expect(filesBelow(store).filter((file) => basename(file).startsWith('.tmp-'))).toEqual([]);
  const set = openFeatureSet({ stores: [store], dataset: spec.dataset, feature: spec.feature });
  expect(set.ids().length).toBe(rows);
  for (const id of set.ids()) {
    const [, split, name] = id.split('/') as [string, string, string];
    expect(set.read(id)).toEqual(asStored(sampleRow(spec, Number(name.slice(1)), split), 'float16'));
  }
  set.close();
}

describe('a writer killed with SIGKILL', () => {
  it('at ten random moments in turn leaves only whole files, and the next one goes on', async () => {
    const store = temporaryStore();
    const rng = Rng.for('kill');
    const total = 400;
    let held = 0;
    let killed = 0;
    for (let i = 0; i < 10; i++) {
      const signal = await killAfter(start(store, 'main', 0, total), 1 + rng.int(80));
      if (signal === 'SIGKILL') killed++;
      const now = checkWhole(store);
      expect(now).toBeGreaterThanOrEqual(held); // nothing that was safe is lost
      held = now;
    }
    expect(killed).toBeGreaterThan(5);
    expect(held).toBeGreaterThan(0);
    await finish(start(store, 'main', 0, total));
    checkWhole(store);
    checkComplete(store, total);
  });

  it('does no harm to another that writes the same set', async () => {
    const store = temporaryStore();
    const [victim, other] = [start(store, 'a', 0, 150), start(store, 'b', 150, 300)];
    const [signal] = await Promise.all([killAfter(victim, 60), finish(other)]);
    expect(signal).toBe('SIGKILL');
    expect(checkWhole(store)).toBeGreaterThanOrEqual(150);
    // the part of the dead writer is free again
    await Promise.all([finish(start(store, 'a', 0, 150)), finish(start(store, 'b', 150, 300))]);
    checkWhole(store);
    checkComplete(store, 300);
  });
});
