import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silent } from '@lsgmer/datasets';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRunEntry } from '../../src/catalogue/run-entry.ts';
import { folderOf, runExperiment } from '../../src/index.ts';
import { planExperiment } from '../../src/experiment/plan.ts';
import { predictionsOf, writeRunFolder } from '../support/run-folders.ts';
import { folds, tinyRequest } from '../support/tiny-experiment.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lsgmer-entry-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const done = predictionsOf(['demo/a', 'demo/b'], [0, 1], [0, 2]);

describe('readRunEntry', () => {
  it('reads what the trainer leaves', async () => {
    const request = tinyRequest(root, { folds, seeds: [7], set: { epochs: 2 } });
    const plan = planExperiment(request);
    await runExperiment(plan, { reporter: silent, now: () => 0 });
    const run = plan.variants[0]?.runs[1];
    const entry = readRunEntry(folderOf(request, run as never).path);
    expect(entry).toMatchObject({
      id: run?.id,
      variant: 'full',
      status: 'finished',
      epoch: 2,
      stale: false,
      identity: run?.identity,
      coverage: { expected: 30, missingTest: [], missingTrain: [] },
    });
  });

  it('tells unfinished and stale runs', () => {
    const at = (id: string): string => join(root, 'demo', '4class', id);
    expect(readRunEntry(at(writeRunFolder(root)))).toMatchObject({ status: 'unfinished', epoch: 12 });
    expect(readRunEntry(at(writeRunFolder(root, { seed: 2, epoch: null })))).toMatchObject({
      status: 'unfinished',
      epoch: 0,
    });
    const old = readRunEntry(at(writeRunFolder(root, { numerics: 0, predictions: done })));
    expect(old).toMatchObject({ status: 'finished', stale: true });
  });

  it('says which file is damaged, and how', () => {
    const path = join(root, 'demo', '4class', writeRunFolder(root));
    const config = join(path, 'config.json');
    writeFileSync(config, '{"run": ');
    expect(() => readRunEntry(path)).toThrow(`${config}: not JSON`);
    writeFileSync(config, '{"run": "x", "variant": "full"}');
    expect(() => readRunEntry(path)).toThrow(`${config}: identity: Invalid input`);
    rmSync(config);
    expect(() => readRunEntry(path)).toThrow(`${config}: is missing`);
  });

  it('does not take a renamed folder for the run that it holds', () => {
    const id = writeRunFolder(root);
    const path = join(root, 'demo', '4class', id);
    const config = join(path, 'config.json');
    writeFileSync(config, JSON.stringify({ ...readConfig(path), run: '0'.repeat(12) }));
    expect(() => readRunEntry(path)).toThrow(`${config}: is of run ${'0'.repeat(12)}, not ${id}`);
  });
});

function readConfig(path: string): object {
  const { id, variant, identity, coverage } = readRunEntry(path);
  return { run: id, variant, identity, coverage };
}
