import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFeatureSet } from '../../src/store/feature-set-reader.ts';
import { openFeatureSetWriter } from '../../src/store/feature-set-writer.ts';
import { readFeatureSetIndex } from '../../src/store/index-union.ts';
import { filesBelow, sampleRow, temporaryStore } from '../store/sample.ts';
import {
  AUDIO,
  contents,
  isWholeStore,
  pull,
  push,
  sampleStore,
  TEXT,
  writeSampleManifest,
} from './sample-store.ts';
import { SharingServer } from './sharing-server.ts';

/** Places of every kind: what they are called, and what the server has to be told. */
const PLACES: readonly [name: string, address: (server: SharingServer) => string][] = [
  ['a folder', () => join(temporaryStore(), 'group', 'features')],
  ['S3', () => 's3://bucket/some prefix'],
  ['S3 without a prefix', () => 's3://bucket'],
  ['WebDAV', ({ host }) => `webdav://${host}/dav/deep/er`],
  ['WebDAV without PROPFIND', ({ host }) => `webdav://${host}/bare/deep`],
  ['a Hugging Face dataset repository', () => 'hf://datasets/team/features/sub'],
];

describe.each(PLACES)('%s', (_name, address) => {
  it('gives back what was sent, and what is there is not sent again', async () => {
    const server = await SharingServer.start();
    const place = address(server);
    const store = sampleStore();
    const sent = await push(place, store, server);
    expect(sent).toMatchObject({
      manifest: 'new',
      sets: [
        { rows: 52, there: 0 },
        { rows: 52, there: 0 },
      ],
    });
    expect(sent.sets.every(({ shards }) => shards > 1)).toBe(true);

    const fresh = temporaryStore();
    const got = await pull(place, fresh, server);
    expect(got).toMatchObject({ manifest: 'new', sets: [{ rows: 52 }, { rows: 52 }] });
    expect(contents(fresh)).toEqual(contents(store));
    expect(await isWholeStore(fresh)).toBe(true);
    for (const { feature, fingerprint } of [AUDIO, TEXT]) {
      const name = { dataset: 'sample', feature, fingerprint };
      const [a, b] = [store, fresh].map((one) => readFeatureSetIndex([one], name));
      const rows = (index: typeof a): unknown =>
        [...(index?.rows ?? [])].map(([id, { input, shard }]) => `${id} ${input} ${shard.sha256}`).sort();
      expect(rows(b)).toEqual(rows(a));
      expect(b?.quarantined).toEqual(a?.quarantined);
    }
    const set = openFeatureSet({ stores: [fresh], dataset: 'sample', feature: AUDIO.feature });
    expect(set.read('sample/dev/u0003').n).toBe(sampleRow(AUDIO, 3, 'dev').n);
    set.close();

    const before = server.seen.length;
    const again = await push(place, store, server);
    expect(again).toMatchObject({
      manifest: 'there',
      bytes: 0,
      sets: [{ rows: 0, there: 52, bytes: 0 }, {}],
    });
    expect(await pull(place, fresh, server)).toMatchObject({ bytes: 0, sets: [{ rows: 0 }, { rows: 0 }] });
    // a store that was pulled can be pushed on: the other side has it all
    expect(await push(place, fresh, server)).toMatchObject({ bytes: 0 });
    const writes = server.seen
      .slice(before)
      .filter(({ method }) => !['GET', 'HEAD', 'PROPFIND'].includes(method));
    expect(writes).toEqual([]);
  });
});

describe('push', () => {
  it('sends single features and splits, and later only the rest', async () => {
    const place = join(temporaryStore(), 'remote');
    const store = sampleStore();
    const some = await push(place, store, undefined, { feature: AUDIO.feature, splits: ['dev'] });
    expect(some.sets).toMatchObject([{ feature: AUDIO.feature, rows: 12 }]);
    const fresh = temporaryStore();
    await pull(place, fresh);
    expect(readFeatureSetIndex([fresh], AUDIO).rows.size).toBe(12);
    expect(readFeatureSetIndex([fresh], AUDIO).quarantined.size).toBe(0); // nobody knows its split
    expect((await push(place, store)).sets).toMatchObject([
      { rows: 40, there: 12 },
      { rows: 52, there: 0 },
    ]);
    const train = temporaryStore();
    expect((await pull(place, train, undefined, { splits: ['train'] })).sets).toMatchObject([
      { rows: 40 },
      { rows: 40 },
    ]);
    expect((await pull(place, train)).sets).toMatchObject([
      { rows: 12, there: 40 },
      { rows: 12, there: 40 },
    ]);
    expect(await isWholeStore(train)).toBe(true);
    await expect(push(place, store, undefined, { splits: ['test'] })).rejects.toThrow(
      /no split test: it has dev, train/,
    );
    await expect(push(place, store, undefined, { feature: 'wavlm' })).rejects.toThrow(
      /no wavlm in .*sample-audio@/,
    );
    await expect(pull(place, train, undefined, { fingerprint: 'zz' })).rejects.toThrow(/hex digits/);
  });

  it('sends rows that were added or computed again, and a pull takes them', async () => {
    const place = join(temporaryStore(), 'remote');
    const store = sampleStore();
    await push(place, store);
    const other = temporaryStore();
    await pull(place, other);
    const writer = openFeatureSetWriter({ store, spec: AUDIO, part: 'main' });
    writer.append(sampleRow(AUDIO, 90, 'train'));
    writer.append(sampleRow(AUDIO, 5, 'dev', 1)); // its recording is another one now
    writer.close();
    expect((await push(place, store)).sets[0]).toMatchObject({ rows: 2, there: 51, shards: 2 });
    expect((await pull(place, other)).sets[0]).toMatchObject({ rows: 2, there: 51 });
    const index = readFeatureSetIndex([other], AUDIO);
    expect([index.rows.size, index.rows.get('sample/dev/u0005')?.input]).toEqual([53, 'input-5-1']);
  });

  it('leaves one whole set where two push at once, whatever their shards are', async () => {
    for (const address of [() => join(temporaryStore(), 'remote'), () => 's3://bucket/race']) {
      const server = await SharingServer.start();
      const place = address();
      // the same rows in shards of other sizes: another machine's
      const one = sampleStore();
      const two = temporaryStore();
      writeSampleManifest(two);
      const writer = openFeatureSetWriter({ store: two, spec: AUDIO, part: 'main', shardBytes: 9000 });
      for (let i = 39; i >= 0; i--) writer.append(sampleRow(AUDIO, i, 'train'));
      for (let i = 11; i >= 0; i--) writer.append(sampleRow(AUDIO, i, 'dev'));
      writer.close();
      await Promise.all([push(place, one, server), push(place, two, server), push(place, one, server)]);
      const fresh = temporaryStore();
      await pull(place, fresh, server);
      expect(await isWholeStore(fresh)).toBe(true);
      expect(readFeatureSetIndex([fresh], AUDIO).rows.size).toBe(52);
      // afterwards everybody finds everything there
      expect(await push(place, one, server)).toMatchObject({ bytes: 0, sets: [{ rows: 0 }, { rows: 0 }] });
      expect(await push(place, two, server)).toMatchObject({ bytes: 0, sets: [{ rows: 0 }] });
    }
  });

  it('keeps the first complete index where a second one comes later', async () => {
    const place = join(temporaryStore(), 'remote');
    await push(place, sampleStore());
    const files = filesBelow(place);
    const two = temporaryStore();
    writeSampleManifest(two);
    const writer = openFeatureSetWriter({ store: two, spec: AUDIO, part: 'other' });
    for (let i = 0; i < 40; i++) writer.append(sampleRow(AUDIO, i, 'train'));
    writer.close();
    expect(await push(place, two)).toMatchObject({ bytes: 0, sets: [{ rows: 0, there: 40 }] });
    expect(filesBelow(place)).toEqual(files);
  });

  it('mends a shard that the remote lost', async () => {
    const place = join(temporaryStore(), 'remote');
    const store = sampleStore();
    await push(place, store);
    const shard = filesBelow(place).find((name) => name.endsWith('.arrow')) as string;
    rmSync(join(place, shard));
    expect((await push(place, store)).sets.map(({ shards }) => shards)).toContain(1);
    expect(await isWholeStore(place)).toBe(true);
  });

  it('sends a restricted corpus only where somebody vouches for the place', async () => {
    const server = await SharingServer.start();
    const store = sampleStore({ restricted: true, licence: 'on request only' });
    await expect(push('s3://bucket/x', store, server)).rejects.toThrow(
      /sample is a restricted corpus \(on request only\).*--private/,
    );
    expect(server.files.size).toBe(0);
    await push('s3://bucket/x', store, server, { private: true });
    server.folders.add('public');
    await expect(push('hf://datasets/team/features', store, server, { private: true })).rejects.toThrow(
      /is public/,
    );
    server.folders.delete('public');
    await push('hf://datasets/team/features', store, server, { private: true });
  });

  it('does not put features of one manifest beside another one unasked', async () => {
    const place = join(temporaryStore(), 'remote');
    const store = sampleStore();
    await push(place, store);
    writeSampleManifest(store, {}, 'other words');
    await expect(push(place, store)).rejects.toThrow(/another manifest of sample .*--manifest replace/);
    expect(await push(place, store, undefined, { manifest: 'keep' })).toMatchObject({ manifest: 'kept' });
    expect(await push(place, store, undefined, { manifest: 'replace' })).toMatchObject({
      manifest: 'replaced',
    });
    const fresh = temporaryStore();
    await pull(place, fresh);
    expect(contents(fresh).get('sample/manifest.json')).toBe(contents(store).get('sample/manifest.json'));
  });

  it('does not send a shard that is damaged here', async () => {
    const server = await SharingServer.start();
    const store = sampleStore();
    const shard = join(store, filesBelow(store).find((name) => name.endsWith('.arrow')) as string);
    const bytes = readFileSync(shard);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
    writeFileSync(shard, bytes);
    for (const place of ['s3://bucket/x', `webdav://${server.host}/dav/x`, join(temporaryStore(), 'r')]) {
      await expect(push(place, store, server)).rejects.toThrow(/damaged .*features repair/);
      expect([...server.files.keys()].filter((name) => /index|share|\.tmp/.test(name))).toEqual([]);
    }
    writeFileSync(shard, bytes.subarray(0, 100));
    await expect(push('s3://bucket/x', store, server)).rejects.toThrow(/damaged or gone.*repair/);
  });

  it('sends one feature also where another one is damaged, and names all that are', async () => {
    const store = sampleStore();
    const place = join(temporaryStore(), 'remote');
    const specs = filesBelow(store).filter((name) => name.endsWith('feature.json'));
    const [damaged, whole] = specs as [string, string];
    writeFileSync(join(store, damaged), '{');
    await expect(push(place, store)).rejects.toThrow(/feature\.json.*\nnothing was sent; --feature/s);
    expect(existsSync(place)).toBe(false);
    const [, bad] = damaged.split('/') as [string, string];
    const [, good] = whole.split('/') as [string, string];
    await expect(push(place, store, undefined, { feature: bad })).rejects.toThrow(/nothing was sent/);
    const { sets } = await push(place, store, undefined, { feature: good });
    expect(sets.map(({ feature }) => feature)).toEqual([good]);
  });

  it('shows what it would do, and does nothing', async () => {
    const place = join(temporaryStore(), 'remote');
    const plan = await push(place, sampleStore(), undefined, { dryRun: true });
    expect(plan.bytes).toBeGreaterThan(plan.sets.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(existsSync(place)).toBe(false);
    await push(place, sampleStore());
    const fresh = join(temporaryStore(), 'empty');
    expect(await pull(place, fresh, undefined, { dryRun: true })).toMatchObject({
      dryRun: true,
      sets: [{ rows: 52 }, {}],
    });
    expect(existsSync(fresh)).toBe(false);
  });
});

describe('pull', () => {
  it('takes what was pushed to a folder from a plain web server over it', async () => {
    const server = await SharingServer.start();
    const place = join(temporaryStore(), 'remote');
    const store = sampleStore();
    await push(place, store);
    for (const name of filesBelow(place))
      server.files.set(`/some/where/${name}`, readFileSync(join(place, name)));
    const fresh = temporaryStore();
    await pull(`http://${server.host}/web/some/where`, fresh, server);
    expect(contents(fresh)).toEqual(contents(store));
    expect(await isWholeStore(fresh)).toBe(true);
    await expect(push(`http://${server.host}/web/some/where`, store, server)).rejects.toThrow(
      /only be pulled from/,
    );
    await expect(pull(`http://${server.host}/web/else/where`, fresh, server)).rejects.toThrow(
      /no sample\/share.json/,
    );
  });

  it('takes from a store as it is, which nobody pushed', async () => {
    const fresh = temporaryStore();
    const store = sampleStore();
    await pull(store, fresh);
    expect(contents(fresh)).toEqual(contents(store));
    await expect(pull(store, fresh, undefined, { dataset: 'meld' })).rejects.toThrow(
      /no dataset meld: it has sample/,
    );
  });

  it('keeps its own manifest unless told otherwise, and says so', async () => {
    const place = join(temporaryStore(), 'remote');
    await push(place, sampleStore());
    const fresh = temporaryStore();
    writeSampleManifest(fresh, {}, 'own words');
    const own = contents(fresh).get('sample/manifest.json');
    const warnings: string[] = [];
    const reporter = { info() {}, progress() {}, warn: (text: string) => void warnings.push(text) };
    expect(await pull(place, fresh, undefined, { reporter })).toMatchObject({ manifest: 'kept' });
    expect(warnings).toEqual([expect.stringMatching(/another manifest.*--manifest replace/)]);
    expect(contents(fresh).get('sample/manifest.json')).toBe(own);
    expect(await pull(place, fresh, undefined, { manifest: 'replace' })).toMatchObject({
      manifest: 'replaced',
    });
    expect(contents(fresh).get('sample/manifest.json')).not.toBe(own);
  });

  it('fetches a shard that the store lost', async () => {
    const place = join(temporaryStore(), 'remote');
    await push(place, sampleStore());
    const fresh = temporaryStore();
    await pull(place, fresh);
    const shard = filesBelow(fresh).find((name) => name.endsWith('.arrow')) as string;
    rmSync(join(fresh, shard));
    await pull(place, fresh);
    expect(await isWholeStore(fresh)).toBe(true);
  });

  it('does not fetch what another store in use has', async () => {
    const place = join(temporaryStore(), 'remote');
    const group = sampleStore();
    await push(place, group);
    const fresh = temporaryStore();
    const report = await pull(place, fresh, undefined, { stores: [group, fresh] });
    expect(report).toMatchObject({ bytes: 0, manifest: 'there' });
    expect(filesBelow(fresh).filter((name) => !name.endsWith('feature.json'))).toEqual([]);
  });

  it('waits for nobody: two at once into one store are told of each other', async () => {
    const place = join(temporaryStore(), 'remote');
    await push(place, sampleStore());
    const fresh = temporaryStore();
    const results = await Promise.allSettled([pull(place, fresh), pull(place, fresh)]);
    const refused = results.filter((one) => one.status === 'rejected');
    for (const { reason } of refused) expect(String(reason)).toMatch(/is being written by process/);
    await pull(place, fresh);
    expect(await isWholeStore(fresh)).toBe(true);
  });

  it('gives group and rights of the folder to what it writes, whatever the umask; so does a push', async () => {
    const team = temporaryStore();
    chmodSync(team, 0o2770);
    const before = process.umask(0o077);
    try {
      await push(join(team, 'remote'), sampleStore());
      await pull(join(team, 'remote'), join(team, 'store'));
    } finally {
      process.umask(before);
    }
    const names = readdirSync(team, { recursive: true, withFileTypes: true });
    expect(names.length).toBeGreaterThan(40);
    for (const entry of names) {
      const { mode } = statSync(join(entry.parentPath, entry.name));
      expect([entry.name, (mode & 0o7777).toString(8)]).toEqual([
        entry.name,
        entry.isDirectory() ? '2770' : '660',
      ]);
    }
  });

  it('is offered a store that can be read in place', async () => {
    const place = join(temporaryStore(), 'remote');
    await push(place, sampleStore());
    expect(readdirSync(join(place, 'sample')).sort()).toEqual(
      ['manifest.json', 'manifests', 'sample-audio', 'sample-text', 'share.json'].sort(),
    );
  });
});
