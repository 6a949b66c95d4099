import { describe, expect, it } from 'vitest';
import { push, sampleStore } from './sample-store.ts';
import { SharingServer } from './sharing-server.ts';

const HOUR = 3_600_000;

describe('a push over WebDAV', () => {
  it('removes what killed pushes left a day ago, and nothing else', async () => {
    const server = await SharingServer.start();
    const store = sampleStore();
    const address = `webdav://${server.host}/dav/p`;
    await push(address, store, server);
    const before = new Map(server.files);
    const shard = [...before.keys()].find((name) => name.endsWith('.arrow')) as string;
    const lies = (name: string, hours: number): string => {
      server.files.set(name, Buffer.from('half'));
      server.changed.set(name, new Date(Date.now() - hours * HOUR));
      return name;
    };
    const dead = [
      lies(`${shard}.0123456789ab.tmp`, 25),
      lies('/p/sample/manifest.json.ba9876543210.tmp', 100),
    ];
    const kept = [
      lies(`${shard}.00000000000a.tmp`, 23),
      // not ours
      lies('/p/sample/notes.tmp', 1000),
      lies('/p/other/x.json.0123456789ab.tmp', 1000),
    ];
    await push(address, store, server, { dryRun: true });
    expect(dead.every((name) => server.files.has(name))).toBe(true);
    await push(address, store, server);
    expect(dead.filter((name) => server.files.has(name))).toEqual([]);
    expect(kept.every((name) => server.files.has(name))).toBe(true);
    for (const name of before.keys()) expect(server.files.has(name), name).toBe(true);
  });

  it('does not mind a server that lists nothing, or does not let it remove', async () => {
    const server = await SharingServer.start();
    const store = sampleStore();
    await push(`webdav://${server.host}/bare/p`, store, server);
    const address = `webdav://${server.host}/dav/p`;
    const name = '/p/sample/manifest.json.ba9876543210.tmp';
    server.files.set(name, Buffer.from('half'));
    server.changed.set(name, new Date(0));
    server.fault = ({ method }) => (method === 'DELETE' ? { status: 403 } : undefined);
    await push(address, store, server);
    expect(server.files.has(name)).toBe(true);
  });
});
