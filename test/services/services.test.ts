import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Card,
  fingerprintOf,
  isDamaged,
  locateSets,
  openFeatureSetWriter,
  openRemote,
  pullFeatures,
  pushFeatures,
  Rng,
  type ShareReport,
  UserError,
  type Utterance,
  verifySet,
  writeManifest,
} from '@lsgmer/datasets';
import { AwsV4Signer } from 'aws4fetch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

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
  makeStore();
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

function makeStore(): void {
  const computation = { encoder: 'services', version: 1 };
  const spec = {
    format: 1,
    dataset: 'services',
    feature: 'noise',
    fingerprint: fingerprintOf(computation),
    kind: 'audio',
    dim: 256,
    dtype: 'float16',
    firstSeconds: 0,
    stepSeconds: 0.02,
    computation,
    provenance: {},
  } as const;
  const card: Card = {
    name: 'services',
    title: 'Noise',
    adapter: 'table',
    synthetic: true,
    paper: null,
    licence: 'none',
    restricted: false,
    layout: [],
    tasks: [
      {
        name: 'two',
        description: 'two labels',
        classes: [
          { name: 'a', labels: ['a'] },
          { name: 'b', labels: ['b'] },
        ],
        protocol: { kind: 'random', k: 2, seed: 1 },
        metric: 'ua',
      },
    ],
  };
  // rows of 1,000 frames: half a megabyte each
  const rows = Math.ceil((MEGABYTES * 1e6) / (1000 * spec.dim * 2));
  const ids = Array.from({ length: rows }, (_, i) => `services/u${String(i).padStart(5, '0')}`);
  const rng = new Rng('services');
  const noise = rng.normals(1000 * spec.dim);
  const writer = openFeatureSetWriter({
    store,
    spec,
    part: 'main',
    shardBytes: Math.max(4e6, MEGABYTES * 1e5),
  });
  ids.forEach((id, i) => {
    noise[i % noise.length] = i;
    writer.append({ id, split: null, n: 1000, features: noise, input: `input ${i}` });
  });
  writer.close();
  const utterances = ids.map((id, i): Utterance => ({
    id,
    dataset: 'services',
    split: null,
    session: null,
    dialogue: null,
    turn: null,
    speaker: null,
    rawLabel: i % 2 === 0 ? 'a' : 'b',
    annotations: [],
    text: 'words',
    rawText: 'words',
    textSource: 'corpus',
    media: null,
    tags: {},
  }));
  writeManifest(store, { card, utterances, options: {}, tool: 'test' });
}

async function over<T>(
  address: string,
  environment: NodeJS.ProcessEnv,
  work: (remote: Awaited<ReturnType<typeof openRemote>>) => Promise<T>,
): Promise<T> {
  const remote = await openRemote(address, { folder: root, environment, home: root, silenceMs: 20_000 });
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

function shardsOf(folder: string): Map<string, Buffer> {
  const names = (readdirSync(folder, { recursive: true }) as string[]).filter((name) =>
    name.endsWith('.arrow'),
  );
  return new Map(
    names.map((name) => [name.slice(name.lastIndexOf('/') + 1), readFileSync(join(folder, name))]),
  );
}

async function expectSame(target: string): Promise<void> {
  const [own, theirs] = [shardsOf(store), shardsOf(target)];
  expect([...theirs.keys()].sort()).toEqual([...own.keys()].sort());
  for (const [name, bytes] of own) expect(theirs.get(name)?.equals(bytes), name).toBe(true);
  for (const set of locateSets([target], 'services')) expect(isDamaged(await verifySet(set))).toBe(false);
}

const speed = (what: string, { bytes }: ShareReport, started: number): void => {
  const seconds = (performance.now() - started) / 1000;
  console.log(`${what}: ${(bytes / 1e6).toFixed(0)} MB, ${(bytes / 1e6 / seconds).toFixed(0)} MB/s`);
};

interface Proxy {
  readonly server: Server;
  readonly host: string;
  /** Connections that may still be broken, and whether a bit of what is sent is turned over. */
  readonly plan: { cuts: number; flip: boolean };
}

/** Forwards to a server; breaks connections that carry content, and changes what goes over, as it is told. */
async function badProxy(target: string): Promise<Proxy> {
  const rng = Rng.for('bad', target);
  const plan = { cuts: 0, flip: false };
  const [host = '', port = ''] = target.split(':');
  const server = createServer((near) => {
    const far = connect(Number(port), host);
    let left = plan.cuts > 0 ? 200_000 + rng.int(3_000_000) : Number.POSITIVE_INFINITY;
    const forward = (from: typeof near, to: typeof near): void => {
      from.on('data', (bytes: Buffer) => {
        left -= bytes.length;
        if (plan.flip && from === near && bytes.length > 20_000)
          bytes[10_000] = (bytes[10_000] as number) ^ 1;
        if (left < 0 && plan.cuts > 0) {
          plan.cuts--;
          near.destroy();
          far.destroy();
        } else if (!to.write(bytes)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
      });
      from.on('close', () => to.destroy());
      from.on('error', () => to.destroy());
    };
    forward(near, far);
    forward(far, near);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { server, host: `127.0.0.1:${(server.address() as AddressInfo).port}`, plan };
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
