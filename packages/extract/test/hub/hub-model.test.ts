import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { UserError, silent } from '@lsgmer/datasets';
import { type HubAccess, fetchHubModel } from '../../src/hub/hub-model.ts';
import { goldenPath } from '../support.ts';
import { COMMIT, HubServer } from './hub-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-hub-'));
afterAll(() => rmSync(folder, { recursive: true }));

const NAME = 'someone/tiny-roberta';
const files = join(folder, 'repository');
let server: HubServer;
let access: HubAccess;
let caches = 0;

beforeAll(() => {
  cpSync(goldenPath('checkpoints/roberta'), files, { recursive: true });
  rmSync(join(files, 'expected.safetensors'));
  writeFileSync(join(files, 'tokenizer.json'), '{}');
  writeFileSync(join(files, 'README.md'), 'not needed');
});
beforeEach(async () => {
  server = new HubServer(NAME, files, ['model.safetensors']);
  access = { cache: join(folder, `cache${caches++}`), endpoint: await server.start(), offline: false };
});
afterEach(() => server.stop());

const fetchIt = (
  revision = 'main',
  change: Partial<HubAccess> = {},
): Promise<{ folder: string; commit: string }> =>
  fetchHubModel({ name: NAME, revision }, { ...access, ...change }, silent);

describe('fetchHubModel', () => {
  it('fetches what a model needs into the cache as Python lays it out', async () => {
    const { folder: snapshot, commit } = await fetchIt();
    expect(commit).toBe(COMMIT);
    const repository = join(access.cache, 'models--someone--tiny-roberta');
    expect(snapshot).toBe(join(repository, 'snapshots', COMMIT));
    expect(readdirSync(snapshot).sort()).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
    expect(readFileSync(join(repository, 'refs', 'main'), 'utf8')).toBe(COMMIT);
    const weights = readFileSync(join(files, 'model.safetensors'));
    const sha256 = createHash('sha256').update(weights).digest('hex');
    expect(readlinkSync(join(snapshot, 'model.safetensors'))).toBe(join('..', '..', 'blobs', sha256));
    expect(readFileSync(join(snapshot, 'model.safetensors')).equals(weights)).toBe(true);
    expect(readdirSync(join(repository, 'blobs'))).toHaveLength(3);
  });

  it('makes no network call for what is there', async () => {
    const first = await fetchIt('v1');
    const before = server.requests.length;
    expect(await fetchIt('v1')).toEqual(first);
    expect(await fetchIt(COMMIT)).toEqual(first);
    expect(await fetchIt('v1', { offline: true })).toEqual(first);
    expect(server.requests).toHaveLength(before);
    await expect(fetchIt('main', { offline: true })).rejects.toThrow(
      /tiny-roberta@main is not in .*models--someone--tiny-roberta, and --offline allows no network call/,
    );
    expect(server.requests).toHaveLength(before);
  });

  it('fetches only what a cache of other tools lacks', async () => {
    const { folder: snapshot } = await fetchIt();
    rmSync(join(snapshot, 'model.safetensors'));
    const before = server.requests.length;
    await fetchIt();
    // The blob is there still: one link is made.
    expect(server.requests.slice(before).filter((line) => line.includes('/resolve/'))).toEqual([]);
    expect(existsSync(join(snapshot, 'model.safetensors'))).toBe(true);
  });

  it('goes on after cuts', async () => {
    server.cut = { after: 4000, times: 3 };
    const { folder: snapshot } = await fetchIt();
    expect(
      readFileSync(join(snapshot, 'model.safetensors')).equals(
        readFileSync(join(files, 'model.safetensors')),
      ),
    ).toBe(true);
    const ranges = server.requests.filter((line) => /bytes=(4000|8000|12000)-/.test(line));
    expect(ranges).toHaveLength(3);
  });

  it('keeps what arrived when the connection is gone for good, and goes on in the next run', async () => {
    const size = readFileSync(join(files, 'model.safetensors')).length;
    server.cut = { after: 6000, times: 1 };
    const cutOff = server;
    const fetching = fetchIt();
    // From the first cut on, every further request fails.
    while (cutOff.cut?.times !== 0) await new Promise((resolve) => setTimeout(resolve, 5));
    cutOff.refuse = 503;
    await expect(fetching).rejects.toThrow(UserError);
    await expect(fetching).rejects.toThrow(
      /model\.safetensors could not be fetched to the end .* the same command goes on/,
    );
    cutOff.refuse = undefined;
    const before = cutOff.requests.length;
    await fetchIt();
    const resumed = cutOff.requests.slice(before).find((line) => /model\.safetensors bytes=6000-/.test(line));
    expect(resumed).toContain(`bytes=6000-${size - 1}`);
  });

  it('refuses content that is not what the hub says it is, and forgets it', async () => {
    const wrong = readFileSync(join(files, 'model.safetensors'));
    wrong[5000] = (wrong[5000] as number) ^ 1;
    server.replaced.set('model.safetensors', wrong);
    await expect(fetchIt()).rejects.toThrow(
      /tiny-roberta\/model\.safetensors is not what it should be: its sha256 is .*, expected/,
    );
    const blobs = readdirSync(join(access.cache, 'models--someone--tiny-roberta', 'blobs'));
    expect(blobs.filter((name) => name.includes('incomplete'))).toEqual([]);
    server.replaced.clear();
    server.replaced.set(
      'config.json',
      Buffer.from('{"model_type":"roberta"}'.padEnd(readFileSync(join(files, 'config.json')).length)),
    );
    rmSync(access.cache, { recursive: true });
    await expect(fetchIt()).rejects.toThrow(/config\.json is not what it should be: its git sha1 is/);
  });

  it('says what to do when the hub says no', async () => {
    const refused = async (status: number): Promise<string> => {
      server.refuse = status;
      return fetchIt().then(
        () => 'fetched',
        (error: unknown) => (error instanceof UserError ? error.message : 'no user error'),
      );
    };
    expect(await refused(401)).toMatch(
      /\(401\): someone\/tiny-roberta is gated, private, or does not exist.* HF_TOKEN/,
    );
    expect(await refused(403)).toMatch(/not granted to this HF_TOKEN \(403\)/);
    expect(await refused(404)).toMatch(
      /is not there \(404\): check the name someone\/tiny-roberta and the revision main/,
    );
    expect(await refused(500)).toMatch(/cannot be fetched/);
    server.refuse = undefined;
    await expect(fetchIt('no-such-branch')).rejects.toThrow('at no-such-branch is not there (404)');
    const nowhere = fetchIt('main', { endpoint: 'http://127.0.0.1:9' });
    await expect(nowhere).rejects.toThrow(
      /cannot be fetched \(fetch failed: .*\): its files belong into .*models--someone--tiny-roberta/,
    );
  });
});
