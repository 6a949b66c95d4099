import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFeatureSetWriter } from '../../src/store/feature-set-writer.ts';
import { findFeatureSets, listDatasets, listFeatures, summarise } from '../../src/store/store-listing.ts';
import { filesBelow, sampleFolder, sampleRows, sampleSpec, temporaryStore, writeRows } from './sample.ts';

const audio = sampleSpec();
const text = sampleSpec({ kind: 'text' });
const rows = sampleRows(audio, 10);

function filled(): string {
  const store = temporaryStore();
  writeRows(store, audio, rows);
  writeRows(store, text, sampleRows(text, 3));
  mkdirSync(join(store, 'sample', 'manifests'));
  mkdirSync(join(store, 'other'));
  return store;
}

describe('listing', () => {
  it('names datasets and features of all stores', () => {
    const store = filled();
    const more = temporaryStore();
    writeRows(more, audio, rows.slice(0, 1));
    expect(listDatasets([store, join(store, 'absent'), more])).toEqual(['other', 'sample']);
    expect(listFeatures([more, store], 'sample')).toEqual(['sample-audio', 'sample-text']);
    expect(listFeatures([more], 'other')).toEqual([]);
    expect(findFeatureSets([more, store], 'sample', 'sample-audio')).toEqual([
      {
        dataset: 'sample',
        feature: 'sample-audio',
        fingerprint: audio.fingerprint,
        spec: audio,
        folders: [sampleFolder(more), sampleFolder(store)],
      },
    ]);
  });

  it('refuses a feature.json whose computation is not that of its folder', () => {
    const store = filled();
    const path = join(sampleFolder(store), 'feature.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"layer": 12', '"layer": 13'));
    expect(() => findFeatureSets([store], 'sample', 'sample-audio')).toThrow(
      `${path} describes sample/sample-audio/${audio.fingerprint}, whose computation has the fingerprint`,
    );
  });
});

describe('summarise', () => {
  const summary = (store: string, ids?: string[]) => {
    const [set] = findFeatureSets([store], 'sample', 'sample-audio');
    if (!set) throw new Error('the set is not there');
    return summarise(set, [store], ids);
  };

  it('counts rows, shards, bytes, and what is missing', () => {
    const store = filled();
    const writer = openFeatureSetWriter({ store, spec: audio, part: 'more' });
    writer.quarantine('sample/bad', '0 samples', 'x');
    writer.close();
    const [shard] = filesBelow(join(sampleFolder(store), 'shards')) as [string];
    expect(summary(store)).toMatchObject({ rows: 10, shards: 1, coverage: null, problems: [] });
    expect(summary(store).bytes).toBe(readFileSync(join(sampleFolder(store), 'shards', shard)).length);
    expect(summary(store).quarantined).toEqual(new Map([['sample/bad', '0 samples']]));
    const ids = ['sample/none', 'sample/bad', ...rows.slice(0, 2).map(({ id }) => id)];
    expect(summary(store, ids).coverage).toEqual({
      present: 2,
      quarantined: ['sample/bad'],
      missing: ['sample/none'],
    });
  });

  it('reports damage instead of failing', () => {
    const store = filled();
    const folder = sampleFolder(store);
    const shard = join(folder, 'shards', filesBelow(join(folder, 'shards'))[0] ?? '');
    const size = readFileSync(shard).length;
    truncateSync(shard, 100);
    expect(summary(store).problems).toEqual([`${shard} has 100 bytes, and the index says ${size}`]);
    rmSync(shard);
    expect(summary(store).problems).toEqual([`${shard} is missing`]);
    truncateSync(join(folder, 'index', 'main.json'), 50);
    expect(summary(store)).toMatchObject({
      rows: 0,
      problems: [expect.stringContaining('main.json is damaged')],
    });
  });
});
