import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  isDamaged,
  locateSets,
  openRemote,
  pullFeatures,
  pushFeatures,
  type ShareReport,
  UserError,
  verifySet,
} from '@lsgmer/datasets';
import { AwsV4Signer } from 'aws4fetch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { badProxy } from './bad-proxy.ts';
import { makeStore, shardsOf } from './noise-store.ts';

/** Transfers over the servers that test/services/run.mjs starts; what is not there is skipped, and that is said. */
const {
  LSGMER_TEST_NGINX: nginx,
  LSGMER_TEST_NGINX_BARE: bare,
  LSGMER_TEST_RCLONE: rclone,
  LSGMER_TEST_RCLONE_FILES: rcloneFiles,
  LSGMER_TEST_S3: s3,
} = process.env;
/** Megabytes of features; more where speed is measured: LSGMER_TEST_MB=1000 make test-services. */
const MEGABYTES = Number(process.env['LSGMER_TEST_MB'] ?? 24);

const KEYS = { AWS_ACCESS_KEY_ID: 'test:tester', AWS_SECRET_ACCESS_KEY: 'testing' };
const ENVIRONMENT: NodeJS.ProcessEnv = {
  ...KEYS,
  AWS_ENDPOINT_URL_S3: s3,
  LSGMER_WEBDAV_USER: 'user',
  LSGMER_WEBDAV_PASSWORD: 'pass word',
};

/** Made only where some server runs: hooks of a file without tests are never called. */
let root = '';
let store = '';
const fresh = (): string => mkdtempSync(join(root, 'pulled-'));

beforeAll(async () => {
  if ([nginx, bare, rclone, s3].every((one) => one === undefined)) return;
  root = mkdtempSync(join(tmpdir(), 'lsgmer-transfers-'));
  store = join(root, 'store');
  makeStore(store, MEGABYTES, Math.max(4e6, MEGABYTES * 1e5));
  if (s3 === undefined) return;
  const signed = await new AwsV4Signer({
    method: 'PUT',
    url: `${s3}/features`,
    accessKeyId: KEYS.AWS_ACCESS_KEY_ID,
    secretAccessKey: KEYS.AWS_SECRET_ACCESS_KEY,
    service: 's3',
    region: 'us-east-1',
  }).sign();
  expect((await fetch(signed.url, { method: 'PUT', headers: signed.headers })).status).toBe(200);
}, 300_000);
afterAll(() => {
  if (root !== '') rmSync(root, { recursive: true });
});

async function over<T>(
  address: string,
  environment: NodeJS.ProcessEnv,
  work: (remote: Awaited<ReturnType<typeof openRemote>>) => Promise<T>,
  partBytes?: number,
): Promise<T> {
  const remote = await openRemote(address, {
    folder: root,
    environment,
    home: root,
    silenceMs: 20_000,
    ...(partBytes === undefined ? {} : { partBytes }),
  });
  try {
    return await work(remote);
  } finally {
    await remote.close();
  }
}

const PATIENCE = { tries: 6, breaks: 60, silences: 3, firstPauseMs: 20, silenceMs: 20_000 };
const push = (address: string, environment = ENVIRONMENT): Promise<ShareReport> =>
  over(address, environment, (remote) =>
    pushFeatures({ stores: [store], dataset: 'services', remote, patience: PATIENCE }),
  );
const pull = (address: string, target: string, environment = ENVIRONMENT): Promise<ShareReport> =>
  over(address, environment, (remote) =>
    pullFeatures({ store: target, stores: [target], dataset: 'services', remote, patience: PATIENCE }),
  );

async function expectSame(target: string, source = store): Promise<void> {
  const [own, theirs] = [shardsOf(source), shardsOf(target)];
  expect([...theirs.keys()].sort()).toEqual([...own.keys()].sort());
  for (const [name, bytes] of own) expect(theirs.get(name)?.equals(bytes), name).toBe(true);
  for (const set of locateSets([target], 'services')) expect(isDamaged(await verifySet(set))).toBe(false);
}

const speed = (what: string, { bytes }: ShareReport, started: number): void => {
  const seconds = (performance.now() - started) / 1000;
  console.log(`${what}: ${(bytes / 1e6).toFixed(0)} MB, ${(bytes / 1e6 / seconds).toFixed(0)} MB/s`);
};

/** What Swift answers to a question about the bucket. */
async function ask(query: string): Promise<string> {
  const signed = await new AwsV4Signer({
    url: `${s3}/features?${query}`,
    accessKeyId: KEYS.AWS_ACCESS_KEY_ID,
    secretAccessKey: KEYS.AWS_SECRET_ACCESS_KEY,
    service: 's3',
    region: 'us-east-1',
  }).sign();
  return (await fetch(signed.url, { headers: signed.headers })).text();
}

const SERVERS: readonly [name: string, host: string | undefined, address: (host: string) => string][] = [
  ['WebDAV of nginx', nginx, (host) => `webdav://${host}/team/ser`],
  ['WebDAV of nginx without PROPFIND', bare, (host) => `webdav://${host}/ser`],
  ['WebDAV of rclone', rclone, (host) => `webdav://${host}/team/ser`],
  ['the S3 API of Swift', s3?.replace('http://', ''), () => 's3://features/ser'],
];

describe.each(SERVERS)('%s', (name, host, address) => {
  if (host === undefined) {
    it.skip('skipped: `make test-services` starts it', () => {});
    console.log(`skipped: ${name} is not running: make test-services starts it`);
    return;
  }
  const place = address(host);
  const through = (proxy: string): NodeJS.ProcessEnv => ({
    ...ENVIRONMENT,
    AWS_ENDPOINT_URL_S3: `http://${proxy}`,
  });

  it('takes everything, gives it back equal, and is sent nothing twice', async () => {
    let started = performance.now();
    speed(`push, ${name}`, await push(place), started);
    expect(await push(place)).toMatchObject({ bytes: 0, manifest: 'there' });
    const target = fresh();
    started = performance.now();
    speed(`pull, ${name}`, await pull(place, target), started);
    await expectSame(target);
  }, 300_000);

  it('ends with equal digests where connections are cut 20 times', async () => {
    const proxy = await badProxy(host);
    try {
      const far = name.startsWith('the S3') ? 's3://features/cut' : `webdav://${proxy.host}/cut`;
      proxy.plan.cuts = 10;
      await push(far, through(proxy.host));
      expect(proxy.plan.cuts).toBe(0);
      proxy.plan.cuts = 10;
      const target = fresh();
      await pull(far, target, through(proxy.host));
      expect(proxy.plan.cuts).toBe(0);
      await expectSame(target);
    } finally {
      proxy.server.close();
    }
  }, 300_000);
});

describe('what the servers refuse', () => {
  it.skipIf(s3 === undefined)('Swift: wrong secrets, wrong bytes, no bucket', async () => {
    const wrong = { ...ENVIRONMENT, AWS_SECRET_ACCESS_KEY: 'wr0ngsecret' };
    const error = await push('s3://features/x', wrong).catch((reason: unknown) => reason as Error);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(/403 \(SignatureDoesNotMatch.*check the S3 keys/);
    expect((error as Error).message).not.toMatch(/wr0ngsecret|test:tester/);
    await expect(push('s3://nowhere/x')).rejects.toThrow(/no such bucket/);
    // a bit that is turned over on the way: Swift compares with the sha256 that was signed
    const proxy = await badProxy(s3?.replace('http://', '') ?? '');
    try {
      proxy.plan.flip = true;
      const through = { ...ENVIRONMENT, AWS_ENDPOINT_URL_S3: `http://${proxy.host}` };
      await expect(push('s3://features/flipped', through)).rejects.toThrow(
        /answered 400 \(.*(SHA256|Digest)/,
      );
      const there = await over('s3://features/flipped', ENVIRONMENT, (remote) => remote.list('services'));
      expect(there).toEqual([]);
    } finally {
      proxy.server.close();
    }
  });

  it.skipIf(s3 === undefined)('Swift: a shard goes on with the parts that are there', async () => {
    const source = join(root, 'one-shard');
    makeStore(source, 24, 1e9);
    const [bytes = 0] = [...shardsOf(source).values()].map(({ length }) => length);
    // the least that S3 takes
    const partBytes = 5 * 2 ** 20;
    expect(bytes).toBeGreaterThan(3 * partBytes);
    const proxy = await badProxy(s3?.replace('http://', '') ?? '');
    const send = (tries: number): Promise<ShareReport> => {
      const patience = { ...PATIENCE, tries, breaks: tries };
      return over(
        's3://features/parts',
        { ...ENVIRONMENT, AWS_ENDPOINT_URL_S3: `http://${proxy.host}` },
        (remote) => pushFeatures({ stores: [source], dataset: 'services', remote, patience }),
        partBytes,
      );
    };
    try {
      proxy.plan.end = 2.5 * partBytes;
      await expect(send(1)).rejects.toThrow(/the same command goes on/);
      expect(await ask('uploads=')).toMatch(/<Upload>/);
      proxy.plan.end = Number.POSITIVE_INFINITY;
      proxy.plan.sent = 0;
      await send(6);
      expect(proxy.plan.sent).toBeGreaterThan(bytes - 2.1 * partBytes);
      expect(proxy.plan.sent).toBeLessThan(bytes - 1.9 * partBytes);
      expect(await ask('uploads=')).not.toMatch(/<Upload>/);
      const target = fresh();
      await pull('s3://features/parts', target);
      await expectSame(target, source);
      // damaged here: what went over is taken away again
      const [name = ''] = [...shardsOf(source).keys()];
      const [set] = locateSets([source], 'services');
      const path = join(set?.folder ?? '', 'shards', name);
      const shard = readFileSync(path);
      shard[shard.length - 20] = (shard[shard.length - 20] as number) ^ 1;
      writeFileSync(path, shard);
      const elsewhere = over(
        's3://features/damaged',
        ENVIRONMENT,
        (remote) => pushFeatures({ stores: [source], dataset: 'services', remote, patience: PATIENCE }),
        partBytes,
      );
      await expect(elsewhere).rejects.toThrow(/is damaged .* and is not sent/);
      expect(await ask('uploads=')).not.toMatch(/<Upload>/);
      expect(await ask('list-type=2&prefix=damaged')).not.toMatch(/<Contents>/);
    } finally {
      proxy.server.close();
    }
  });

  it.skipIf(rclone === undefined)('rclone: a wrong password', async () => {
    const wrong = { LSGMER_WEBDAV_USER: 'user', LSGMER_WEBDAV_PASSWORD: 'wr0ngword' };
    const error = await push(`webdav://${rclone}/x`, wrong).catch((reason: unknown) => reason as Error);
    expect((error as Error).message).toMatch(/401.*user or password are not accepted/);
    expect((error as Error).message).not.toMatch(/wr0ngword/);
  });

  it.skipIf(nginx === undefined)(
    'nginx: plain files are pulled from the folder that WebDAV fills',
    async () => {
      const target = fresh();
      await pull(`http://${nginx}/files/team/ser`, target);
      await expectSame(target);
      await expect(push(`http://${nginx}/files/team/ser`)).rejects.toThrow(/only be pulled from/);
    },
  );

  it.skipIf(rcloneFiles === undefined)('nothing half lies under a final name', () => {
    const names = (readdirSync(rcloneFiles as string, { recursive: true }) as string[]).filter((name) =>
      name.endsWith('.arrow'),
    );
    const own = shardsOf(store);
    for (const name of names)
      expect(statSync(join(rcloneFiles as string, name)).size).toBe(
        own.get(name.slice(name.lastIndexOf('/') + 1))?.length,
      );
    expect(existsSync(rcloneFiles as string)).toBe(true);
  });
});
