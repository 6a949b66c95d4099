import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFeatureSetWriter } from '../../src/store/feature-set-writer.ts';
import { markPull, unmarkPull } from '../../src/store/stopped-pull.ts';
import {
  findFeatureSets,
  listDatasets,
  listFeatures,
  MissingSpecError,
  summarise,
} from '../../src/store/store-listing.ts';
import { claimPart } from '../../src/store/writer-lease.ts';
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

describe('a set whose feature.json is gone', () => {
  const told = (store: string): string[] => {
    const messages: string[] = [];
    expect(
      findFeatureSets([store], 'sample', 'sample-audio', ({ message }) => messages.push(message)),
    ).toEqual([]);
    return messages;
  };
  const without = (...gone: string[]): { store: string; line: string } => {
    const store = filled();
    for (const name of ['feature.json', ...gone])
      rmSync(join(sampleFolder(store), name), { recursive: true });
    return { store, line: `${join(sampleFolder(store), 'feature.json')} is missing` };
  };

  it.each([[[]], [['index']], [['shards']]])('cannot be read (also gone: %s)', (gone) => {
    const { store, line } = without(...gone);
    const whole = `${line}: run \`lsgmer features repair\``;
    expect(told(store)).toEqual([whole]);
    expect(() => findFeatureSets([store], 'sample', 'sample-audio')).toThrow(MissingSpecError);
    expect(findFeatureSets([store], 'sample', 'sample-text')).toHaveLength(1);
  });

  it('is left out where its writer was stopped at the very start', () => {
    expect(told(without('index', 'shards').store)).toEqual([]);
  });

  it('is left to a pull that was stopped, and to a writer that is at work', () => {
    const { store, line } = without();
    markPull(sampleFolder(store), 's3://bucket/ser');
    expect(told(store)).toEqual([`${line}: a pull from s3://bucket/ser was stopped here: run it again`]);
    unmarkPull(sampleFolder(store));
    const release = claimPart(join(sampleFolder(store), 'index'), 'other');
    expect(told(store)).toEqual([expect.stringMatching(/ is writing the set: wait for it, then run/)]);
    release();
    openFeatureSetWriter({ store, spec: audio, part: 'main' }).close();
    expect(findFeatureSets([store], 'sample', 'sample-audio')).toHaveLength(1);
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
