import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ShareReport } from '../../src/share/share-report.ts';
import { locateSets } from '../../src/store/set-location.ts';
import { temporaryStore } from '../store/sample.ts';
import { contents, IMPATIENT, isWholeStore, pull, push, sampleStore } from './sample-store.ts';
import { type Seen, SharingServer } from './sharing-server.ts';

const HOUR = 3_600_000;
const PLACE = 's3://bucket/p';
/** Small enough for every shard of the sample to have several. */
const PART = 1000;

async function started() {
  const server = await SharingServer.start();
  const store = sampleStore();
  const send = (tries = IMPATIENT.tries): Promise<ShareReport> =>
    push(PLACE, store, server, { atOnce: 1, patience: { ...IMPATIENT, tries, breaks: tries } }, PART);
  const parts = (): Seen[] => server.seen.filter(({ method, query }) => method === 'PUT' && query !== '');
  const shards = (): string[] => [...server.files.keys()].filter((name) => name.endsWith('.arrow'));
  return { server, store, send, parts, shards };
}

const isComplete = ({ method, query }: Seen): boolean => method === 'POST' && query.includes('uploadId=');

describe('a push to S3 in parts', () => {
  it('brings equal files, and leaves no upload', async () => {
    const { server, store, send, parts, shards } = await started();
    await send();
    expect(parts().length).toBeGreaterThan(3 * shards().length);
    expect(server.uploads.size).toBe(0);
    const target = temporaryStore();
    await pull(PLACE, target, server);
    expect(contents(target)).toEqual(contents(store));
    expect(await isWholeStore(target)).toBe(true);
    expect(await send()).toMatchObject({ bytes: 0 });
  });

  it('goes on with the parts that the server lacks: in the next try, and the next command', async () => {
    for (const tries of [1, IMPATIENT.tries]) {
      const { server, store, send, parts } = await started();
      let left = 1;
      server.fault = ({ method, query }) =>
        method === 'PUT' && query.startsWith('?partNumber=3&') && left-- > 0 ? { cutAfter: 10 } : undefined;
      if (tries === 1) {
        await expect(send(tries)).rejects.toThrow(/part 3: the connection broke .*the same command goes on/);
        expect(server.uploads.size).toBe(1);
      }
      await send();
      expect(server.uploads.size).toBe(0);
      // only the part that was cut went over twice
      const names = parts().map(({ path, query }) => `${path} ${query}`);
      expect(names.length - new Set(names).size).toBe(1);
      const target = temporaryStore();
      await pull(PLACE, target, server);
      expect(contents(target)).toEqual(contents(store));
    }
  });

  it('sends parts again that are others there, and takes an upload whose last answer was lost for whole', async () => {
    const { server, store, send, parts } = await started();
    server.fault = (seen) => (isComplete(seen) ? { status: 503 } : undefined);
    await expect(send(1)).rejects.toThrow(/503/);
    const [upload] = server.uploads.values();
    upload?.parts.set(2, Buffer.alloc(PART));
    const before = parts().length;
    let lost = 1;
    server.fault = (seen) => (isComplete(seen) && lost-- > 0 ? { cutAfter: 5 } : undefined);
    await send();
    const again = parts().slice(before);
    const first = again.filter(({ path }) => path === `/s3${upload?.name}`);
    expect(first.map(({ query }) => /partNumber=(\d+)/.exec(query)?.[1])).toEqual(['2']);
    expect(server.uploads.size).toBe(0);
    const target = temporaryStore();
    await pull(PLACE, target, server);
    expect(contents(target)).toEqual(contents(store));
  });

  it('does no harm where two push at once, or another one ends the upload', async () => {
    const { server, store, send } = await started();
    await Promise.all([send(), send(), send()]);
    let once = 1;
    const fresh = await started();
    fresh.server.fault = ({ query }) => {
      if (query.startsWith('?partNumber=2&') && once-- > 0) fresh.server.uploads.clear();
      return undefined;
    };
    await fresh.send();
    for (const one of [{ server, store }, fresh]) {
      expect(one.server.uploads.size).toBe(0);
      const target = temporaryStore();
      await pull(PLACE, target, one.server);
      expect(contents(target)).toEqual(contents(one.store));
    }
  });

  it('ends the upload of a shard that is damaged here', async () => {
    const { server, store, send, shards } = await started();
    for (const { folder } of locateSets([store], 'sample'))
      for (const name of readdirSync(join(folder, 'shards'))) {
        const path = join(folder, 'shards', name);
        const bytes = readFileSync(path);
        bytes[bytes.length - 20] = (bytes[bytes.length - 20] as number) ^ 1;
        writeFileSync(path, bytes);
      }
    await expect(send()).rejects.toThrow(/is damaged .* and is not sent/);
    expect([server.uploads.size, shards()]).toEqual([0, []]);
  });

  it('sends whole files where the server does not know parts', async () => {
    const { server, store, send, parts } = await started();
    server.fault = ({ query }) => (query.includes('uploads') ? { status: 501 } : undefined);
    await send();
    expect(parts()).toEqual([]);
    const target = temporaryStore();
    await pull(PLACE, target, server);
    expect(contents(target)).toEqual(contents(store));
  });

  it('ends what killed pushes began a day ago, and nothing else', async () => {
    const { server, send, shards } = await started();
    await send();
    const shard = shards()[0] as string;
    const lies = (id: string, name: string, hours: number): void =>
      void server.uploads.set(id, { name, begun: new Date(Date.now() - hours * HOUR), parts: new Map() });
    lies('dead', shard, 25);
    lies('young', shard, 23);
    lies('another dataset', shard.replace('/p/sample/', '/p/other/'), 1000);
    lies('no shard', '/bucket/p/sample/film.mp4', 1000);
    await send();
    expect([...server.uploads.keys()].sort()).toEqual(['another dataset', 'no shard', 'young']);
    server.fault = ({ query }) => (query.includes('uploads') ? { status: 403 } : undefined);
    await send();
  });
});
