import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NUMERICS_VERSION } from '../../src/record/run-id.ts';
import { readCatalogue } from '../../src/catalogue/catalogue.ts';
import { scoreGroup } from '../../src/catalogue/group-scores.ts';
import { groupRuns } from '../../src/catalogue/run-group.ts';
import { tableNotes } from '../../src/catalogue/table-notes.ts';
import { predictionsOf, type RunFolderSpec, writeRunFolder } from '../support/run-folders.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lsgmer-notes-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const predictions = predictionsOf(['demo/a', 'demo/b'], [0, 1], [0, 2]);
const write = (spec: RunFolderSpec): string => writeRunFolder(root, { predictions, ...spec });
const notes = (): string[] =>
  tableNotes(
    groupRuns(readCatalogue(root).entries).map((group) =>
      scoreGroup(group, { select: 'last', missing: 'drop' }),
    ),
  );
const ablated = { variant: 'no-ma', config: { 'ma.alpha': 0 } };

describe('tableNotes', () => {
  it('has nothing to say of whole, alike rows', () => {
    for (const seed of [1, 2]) {
      write({ seed });
      write({ seed, ...ablated });
    }
    expect(notes()).toEqual([]);
  });

  it('shows fingerprints, rows, protocols, seeds and coverage that differ', () => {
    for (const seed of [1, 2]) {
      write({ seed });
      write({
        seed: seed + 1,
        ...ablated,
        fingerprint: 'c'.repeat(64),
        protocol: { name: 'random', speakerDependent: true, where: 'words>2' },
        missingTest: [{ id: 'demo/c', reason: 'corrupt' }],
        predictions: predictions.slice(0, 1),
      });
    }
    expect(notes()).toEqual([
      'MIXED features, text: roberta-base@aaaaaaaa (full); roberta-base@cccccccc (no-ma)',
      'MIXED protocols: not stated (full); random, where words>2 (no-ma)',
      'MIXED seeds: 1 2 (full); 2 3 (no-ma)',
      'MIXED numbers of utterances: 2 (full); 1 (no-ma)',
      'no-ma: NOT COMPARABLE, 1 of 2 test utterances evaluated',
    ]);
  });

  it('shows what is missing, unfinished, stale, and of one seed', () => {
    write({ fold: 'Ses01' });
    write({ fold: 'Ses02' });
    write({ fold: 'Ses01', seed: 2 });
    write({ ...ablated, fold: 'Ses01', numerics: 0 });
    write({ ...ablated, fold: 'Ses02', numerics: 0, predictions: undefined });
    expect(notes()).toEqual([
      'MIXED seeds: 1 (full); (none) (no-ma)',
      `MIXED numerics versions: ${NUMERICS_VERSION} (full); 0 (no-ma)`,
      'MIXED numbers of utterances: 4 (full); not known (no-ma)',
      'full: seed 2 is left out, it lacks Ses02 (no run)',
      'full: one seed only, the variance over seeds is not known',
      'no-ma: STALE, of numerics version 0',
      'no-ma: seed 1 is left out, it lacks Ses02 (at epoch 12 of 50)',
      'no-ma: no seed has every fold',
    ]);
  });

  it('shows features whose rows are others, without a guess why', () => {
    write({});
    write({ ...ablated, rows: 'd'.repeat(64) });
    expect(notes()).toContain(
      'MIXED features, text: other rows (utterances added or dropped, or extracted anew)',
    );
  });
});
