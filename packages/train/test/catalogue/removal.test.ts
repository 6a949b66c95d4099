import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCatalogue } from '../../src/catalogue/catalogue.ts';
import { LIVE_MINUTES, planRemoval, removeRuns } from '../../src/catalogue/removal.ts';
import { predictionsOf, writeRunFolder } from '../support/run-folders.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lsgmer-removal-'));
});
afterEach(() => rmSync(root, { recursive: true }));

describe('removing runs', () => {
  it('moves them to the trash, but for what may be running', () => {
    const finished = writeRunFolder(root, { predictions: predictionsOf(['demo/a'], [0], [0]) });
    const live = writeRunFolder(root, { seed: 2 });
    const dead = writeRunFolder(root, { seed: 3 });
    const now = Date.now();
    const long = new Date(now - (LIVE_MINUTES + 1) * 60_000);
    const folder = join(root, 'demo', '4class', dead);
    for (const file of [...readdirSync(folder).map((name) => join(folder, name)), folder])
      utimesSync(file, long, long);
    const plan = planRemoval(readCatalogue(root).entries, now);
    expect(plan.live.map((run) => run.id)).toEqual([live]);
    expect(plan.remove.map((run) => run.id).sort()).toEqual([finished, dead].sort());
    const moved = removeRuns(root, plan.remove, new Date('2026-02-03T04:05:06Z'));
    const trashed = join(root, 'demo', 'trash', '2026-02-03', '4class');
    expect(moved.sort()).toEqual([join(trashed, dead), join(trashed, finished)].sort());
    expect(existsSync(join(trashed, finished, 'predictions.csv'))).toBe(true);
    expect(readCatalogue(root).entries.map((run) => run.id)).toEqual([live]);
  });
});
