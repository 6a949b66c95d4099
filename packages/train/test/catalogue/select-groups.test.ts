import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCatalogue } from '../../src/catalogue/catalogue.ts';
import { groupRuns } from '../../src/catalogue/run-group.ts';
import { selectGroups } from '../../src/catalogue/select-groups.ts';
import { predictionsOf, writeRunFolder } from '../support/run-folders.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lsgmer-select-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const predictions = predictionsOf(['demo/a'], [0], [0]);

describe('selectGroups', () => {
  it('finds rows by label, variant, key, run and condition', () => {
    writeRunFolder(root, { predictions });
    writeRunFolder(root, { predictions, config: { lr: 0.01 } });
    const run = writeRunFolder(root, { variant: 'no-ma', config: { 'ma.alpha': 0 }, seed: 3 });
    const groups = groupRuns(readCatalogue(root).entries);
    const find = (text: string): string[] => selectGroups(groups, text).map((group) => group.label);
    expect(find('full (lr=0.01)')).toEqual(['full (lr=0.01)']);
    expect(find('no-ma')).toEqual(['no-ma']);
    expect(find(run.slice(0, 7))).toEqual(['no-ma']);
    expect(find((groups[0]?.key ?? '').slice(0, 8))).toEqual([groups[0]?.label]);
    expect(find('lr=0.001').sort()).toEqual(['full (lr=0.001)', 'no-ma']);
    expect(find('lr=0.001,status=unfinished')).toEqual(['no-ma']);
    expect(find('text=roberta-base,seed=3')).toEqual(['no-ma']);
    expect(() => find('status=stale')).toThrow('no row has status=stale');
    const [first, ...others] = groups as [(typeof groups)[number], ...typeof groups];
    const compared = [{ ...first, outdated: first.runs.map(({ id }) => id), mixed: ['why'] }, ...others];
    for (const status of ['stale', 'mixed'])
      expect(selectGroups(compared, `status=${status}`).map(({ label }) => label)).toEqual([first.label]);
    expect(() => find('full')).toThrow(
      /^'full' is the variant of several rows: name one of 'full \(lr=0\.0\d+\)' \([0-9a-f]{6}\), 'full \(lr=0\.0\d+\)'/,
    );
    expect(() => find('no-am')).toThrow("no row 'no-am'; the nearest is no-ma: there are 'full (lr=");
    expect(() => find('no-joo')).toThrow(
      'it is trained with train --ablation, a plain train makes the row lsgmer',
    );
    expect(() => find('lrr=1,=2')).toThrow(
      "no run has a key 'lrr', the nearest is lr\n'=2': expected key=value",
    );
    expect(() => find('lr=7')).toThrow("no row has lr=7: there are 'full (lr=");
  });
});
