import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silent } from '@lsgmer/datasets';
import { fetchCheckpoint } from '../../src/hub/url-checkpoint.ts';
import { goldenPath } from '../support.ts';

const cache = mkdtempSync(join(tmpdir(), 'lsgmer-url-'));
const bytes = readFileSync(goldenPath('checkpoints/alexnet/alexnet-tiny.pth'));
const digits = createHash('sha256').update(bytes).digest('hex').slice(0, 8);
let server: Server;
let base: string;
let requests = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    requests++;
    if (request.url?.includes('gone') === true) return void response.writeHead(404).end();
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(from === 0 ? 200 : 206).end(bytes.subarray(from));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  rmSync(cache, { recursive: true });
  await new Promise((resolve) => server.close(resolve));
});

const get = (name: string, offline = false): Promise<string> =>
  fetchCheckpoint(`${base}/${name}`, cache, offline, silent);

describe('fetchCheckpoint', () => {
  it('checks the digits in the name, and fetches once', async () => {
    const path = await get(`alexnet-tiny-${digits}.pth`);
    expect(path).toBe(join(cache, `alexnet-tiny-${digits}.pth`));
    expect(readFileSync(path).equals(bytes)).toBe(true);
    const before = requests;
    expect(await get(`alexnet-tiny-${digits}.pth`, true)).toBe(path);
    expect(requests).toBe(before);
  });

  it('goes on where an earlier try ended', async () => {
    writeFileSync(join(cache, `again-${digits}.pth.incomplete`), bytes.subarray(0, 1000));
    expect(readFileSync(await get(`again-${digits}.pth`)).equals(bytes)).toBe(true);
  });

  it('refuses another content, and leaves nothing of it', async () => {
    await expect(get('alexnet-owt-7be5be79.pth')).rejects.toThrow(
      /its sha256 is [0-9a-f]{64}, expected 7be5be79; it was removed/,
    );
    expect(existsSync(join(cache, 'alexnet-owt-7be5be79.pth'))).toBe(false);
    expect(readdirSync(cache).filter((name) => name.startsWith('alexnet-owt'))).toEqual([]);
  });

  it('says what is missing and where it belongs', async () => {
    await expect(get('alexnet.pth')).rejects.toThrow('needs the first digits of its sha256 in its name');
    await expect(get('gone-7be5be79.pth')).rejects.toThrow(
      /the server says 404; the file belongs to .*gone-7be5be79\.pth/,
    );
    await expect(get('other-7be5be79.pth', true)).rejects.toThrow(
      /other-7be5be79\.pth is missing, and --offline allows no network call: fetch it from http/,
    );
  });
});
