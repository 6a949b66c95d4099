import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Interrupted, UserError } from '../../src/base/errors.ts';
import { Rng } from '../../src/base/rng.ts';
import { openRemote } from '../../src/share/open-remote.ts';
import { pullFeatures } from '../../src/share/pull.ts';
import { pushFeatures } from '../../src/share/push.ts';
import { PATIENCE } from '../../src/share/retry.ts';
import { locateSets } from '../../src/store/set-location.ts';
import { verifySet } from '../../src/store/verify.ts';
import { filesBelow, temporaryStore } from '../store/sample.ts';
import { contents, IMPATIENT, isWholeStore, pull, push, sampleStore } from './sample-store.ts';
import { type Fault, type Seen, SharingServer } from './sharing-server.ts';

type Place = readonly [name: string, address: (server: SharingServer) => string];
const S3: Place = ['S3', () => 's3://bucket/p'];
const DAV: Place = ['WebDAV', ({ host }) => `webdav://${host}/dav/p`];
const HUB: Place = ['the hub', () => 'hf://datasets/team/features'];
const WRITABLE: readonly Place[] = [S3, DAV, HUB];

/** What was pushed to this server, as plain files behind its web end. */
async function serveWeb(server: SharingServer, store: string): Promise<string> {
  const place = join(temporaryStore(), 'remote');
  await push(place, store);
  for (const name of filesBelow(place)) server.files.set(`/p/${name}`, readFileSync(join(place, name)));
  return `http://${server.host}/web/p`;
}

async function failure(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => new Error('it went well'),
    (reason: unknown) => reason as Error,
  );
  expect(error, String(error.stack)).toBeInstanceOf(UserError);
  for (const secret of ['S3CRET', 'AKIDEXAMPLE', 'pass word', 'pass%20word', 'hf_secrettoken', 'cGFzcy'])
    expect(error.message).not.toContain(secret);
  return error.message;
}

const isShard = ({ path }: Seen): boolean => /\.arrow|\/lfs\//.test(path) && !path.endsWith('/batch');

/** Cuts transfers of content until there were so many cuts. */
function cutting(seed: string, cuts: number): { fault: SharingServer['fault']; done: () => number } {
  const rng = Rng.for('cut', seed);
  let done = 0;
  const fault = (seen: Seen): Fault | undefined => {
    if (done >= cuts || !['GET', 'PUT'].includes(seen.method) || rng.uniform() > (isShard(seen) ? 0.9 : 0.25))
      return undefined;
    done++;
    return { cutAfter: rng.int(900) };
  };
  return { fault, done: () => done };
}

/** Size of both files of a manifest. */
function manifestBytes(store: string): number {
  const names = filesBelow(store).filter((name) => /manifest\.json$|\.jsonl$/.test(name));
  return names.reduce((sum, name) => sum + statSync(join(store, name)).size, 0);
}

/** What a broken transfer may leave: whole files and beginnings, and no index that names anything else. */
function expectNothingWrong(store: string): void {
  for (const name of filesBelow(store)) {
    expect(name).not.toMatch(/\/index\/[^.].*\.json$|manifest\.json$/);
    if (!/\/sha256-[0-9a-f]{64}\.arrow$/.test(name))
      expect(name).toMatch(/\.partial-|\.pulling$|feature\.json|\.jsonl$/);
  }
}

describe.each([S3, DAV, HUB])('%s, cut 20 times at random', (_name, address) => {
  it('ends with equal digests', async () => {
    const server = await SharingServer.start();
    const place = address(server);
    const store = sampleStore();
    for (let half = 0; half < 2; half++) {
      const cut = cutting(`push ${half}`, 20);
      server.fault = cut.fault;
      if (half === 0) {
        await push(place, store, server);
        expect(cut.done()).toBe(20);
        continue;
      }
      const fresh = temporaryStore();
      await pull(place, fresh, server);
      expect(cut.done()).toBe(20);
      expect(contents(fresh)).toEqual(contents(store));
      expect(await isWholeStore(fresh)).toBe(true);
      expect(server.seen.some(({ headers }) => /^bytes=[1-9]\d*-$/.test(headers.range ?? ''))).toBe(true);
      expect(filesBelow(fresh).filter((name) => name.includes('.partial'))).toEqual([]);
    }
    expect([...server.files.keys()].filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

describe('a plain web server, cut 20 times at random', () => {
  it('ends with equal digests, with and without Range', async () => {
    const server = await SharingServer.start();
    const store = sampleStore();
    const place = await serveWeb(server, store);
    const cut = cutting('web', 20);
    server.fault = cut.fault;
    const fresh = temporaryStore();
    await pull(place, fresh, server);
    expect(cut.done()).toBe(20);
    expect(contents(fresh)).toEqual(contents(store));
    // every first answer is cut, and the second one begins at the beginning again
    const times = new Map<string, number>();
    server.fault = ({ path }) => {
      const time = (times.get(path) ?? 0) + 1;
      times.set(path, time);
      return time === 1 ? { cutAfter: 700 } : 'no-range';
    };
    const again = temporaryStore();
    await pull(place, again, server);
    expect(contents(again)).toEqual(contents(store));
  });
});

describe('a pull', () => {
  it.each([S3, DAV, ['a web server', () => '']] as const)(
    'from %s that brings wrong bytes keeps nothing of them',
    async (name, address) => {
      const server = await SharingServer.start();
      const store = sampleStore();
      const place = name === 'a web server' ? await serveWeb(server, store) : address(server);
      if (name !== 'a web server') await push(place, store, server);
      const fresh = temporaryStore();
      server.fault = (seen) => (isShard(seen) ? 'wrong-bytes' : undefined);
      expect(await failure(pull(place, fresh, server))).toMatch(
        /sha256-.*\.arrow has other bytes than its name says/,
      );
      expectNothingWrong(fresh);
      for (const wrong of [/\/index\//, /\.jsonl$/, /feature\.json$/, /\/manifest\.json$/]) {
        server.fault = ({ path, method }) =>
          method === 'GET' && wrong.test(path) ? 'wrong-bytes' : undefined;
        const other = temporaryStore();
        const result = await pull(place, other, server).then(
          () => 'went well',
          (error: unknown) => String(error),
        );
        // a place that lists serves the same wrong description twice: then only its meaning can be checked
        if (result !== 'went well') expect(result).toMatch(/UserErrors?: /);
        else expect(contents(other).size).toBeGreaterThan(5);
        if (/index|jsonl/.test(wrong.source) || name === 'a web server')
          expect(result).toMatch(/damaged|not what it should be/);
        if (result !== 'went well') expectNothingWrong(other);
      }
      // once is no more than a retry
      const wronged = new Set<string>();
      server.fault = ({ path, method }) => {
        if (method !== 'GET' || wronged.has(path)) return undefined;
        wronged.add(path);
        return /share\.json|\/s3\/bucket\/$/.test(path) ? undefined : 'wrong-bytes';
      };
      await pull(place, fresh, server);
      expect(contents(fresh)).toEqual(contents(store));
    },
  );

  const STATUS: readonly [fault: Fault, message: RegExp, most: number][] = [
    [{ status: 403 }, /answered 403.*does not let you/, 4],
    [{ status: 404 }, /is not there, although the index names it/, 4],
    [{ status: 500 }, /answered 500.*6 times: given up/, 24],
    [{ status: 429, headers: { 'retry-after': '0' } }, /answered 429.*6 times: given up/, 24],
    ['hang', /nothing came back.*2 times: given up/, 8],
    ['stall', /nothing came back|came.*given up/, 300],
    ['wrong-range', /asked for bytes from/, 300],
    [{ cutAfter: 0 }, /broke|came.*given up/, 300],
  ];
  it.each(STATUS)(
    'that meets %o says so after a bounded number of tries, and goes on later',
    async (fault, message, most) => {
      const server = await SharingServer.start();
      const store = sampleStore();
      await push('s3://bucket/p', store, server);
      const fresh = temporaryStore();
      const before = server.seen.length;
      // the second half of a range is only asked for where a first one was cut
      let cut = 0;
      server.fault = (seen) => {
        if (!isShard(seen)) return undefined;
        return fault === 'wrong-range' && cut++ < 4 ? { cutAfter: 500 } : fault;
      };
      const patience = { ...IMPATIENT, silenceMs: 100, silences: 2, breaks: 4 };
      const remote = (changes = {}): Promise<unknown> =>
        pull('s3://bucket/p', fresh, server, { patience, ...changes });
      expect(await failure(remote())).toMatch(message);
      expect(server.seen.slice(before).filter(isShard).length).toBeLessThanOrEqual(most);
      expectNothingWrong(fresh);
      server.fault = () => undefined;
      await remote();
      expect(contents(fresh)).toEqual(contents(store));
    },
  );

  it('waits as long as a busy server asks', async () => {
    const server = await SharingServer.start();
    await push('s3://bucket/p', sampleStore(), server);
    let times = 0;
    server.fault = (seen) =>
      isShard(seen) && times++ === 0 ? { status: 429, headers: { 'retry-after': '1' } } : undefined;
    const started = performance.now();
    await pull('s3://bucket/p', temporaryStore(), server);
    expect(performance.now() - started).toBeGreaterThan(950);
  });

  it('that is stopped ends soon, keeps beginnings, and goes on with them', async () => {
    const server = await SharingServer.start();
    const store = sampleStore();
    await push('s3://bucket/p', store, server);
    const fresh = temporaryStore();
    const controller = new AbortController();
    server.fault = (seen) => (isShard(seen) ? 'stall' : undefined);
    const stopped = pull('s3://bucket/p', fresh, server, { signal: controller.signal, patience: PATIENCE });
    setTimeout(() => controller.abort(), 250);
    const started = performance.now();
    await expect(stopped).rejects.toBeInstanceOf(Interrupted);
    expect(performance.now() - started).toBeLessThan(2000);
    const partial = filesBelow(fresh).filter((name) => name.includes('.partial-'));
    expect(partial.length).toBeGreaterThan(0);
    expect(partial.every((name) => statSync(join(fresh, name)).size > 0)).toBe(true);
    expectNothingWrong(fresh);
    for (const set of locateSets([fresh], 'sample')) {
      expect((await verifySet(set)).awaited).toEqual({
        why: 'a pull from s3://bucket/p was stopped here: run it again',
        live: false,
      });
    }
    server.fault = () => undefined;
    const before = server.seen.length;
    const kept = partial.reduce((sum, name) => sum + statSync(join(fresh, name)).size, 0);
    const { bytes, sets } = await pull('s3://bucket/p', fresh, server);
    const shards = sets.reduce((sum, set) => sum + set.bytes, 0);
    expect(bytes).toBe(shards - kept + manifestBytes(store));
    expect(server.seen.slice(before).filter(({ headers }) => headers.range !== undefined).length).toBe(
      partial.length,
    );
    expect(contents(fresh)).toEqual(contents(store));
  });

  it('throws a beginning away that is not one', async () => {
    const server = await SharingServer.start();
    const store = sampleStore();
    await push('s3://bucket/p', store, server);
    const fresh = temporaryStore();
    const name = filesBelow(store).find((one) => one.endsWith('.arrow')) as string;
    const size = statSync(join(store, name)).size;
    const target = join(fresh, name).replace(/sha256-/, '.partial-sha256-');
    mkdirSync(dirname(target), { recursive: true });
    for (const bytes of [100, size, size + 5]) {
      writeFileSync(target, Buffer.alloc(bytes, 7));
      await pull('s3://bucket/p', fresh, server, { feature: name.split('/')[1] });
      expect(readFileSync(join(fresh, name)).equals(readFileSync(join(store, name)))).toBe(true);
      expect(existsSync(target)).toBe(false);
      rmSync(join(dirname(dirname(join(fresh, name))), 'index'), { recursive: true });
      rmSync(join(fresh, name));
    }
  });
});

describe.each(WRITABLE)('a push to %s', (_name, address) => {
  const FAULTS: readonly [fault: Fault, message: RegExp][] = [
    [{ status: 401 }, /answered 401.*does not let you/],
    [{ status: 403 }, /answered 403.*does not let you/],
    [{ status: 413 }, /answered 413.*size/],
    [{ status: 507 }, /answered 507.*disk is full/],
    [{ status: 503, headers: { 'retry-after': '0' } }, /answered 503.*given up/],
    ['hang', /nothing came back.*given up/],
    [{ cutAfter: 100 }, /broke.*given up/],
  ];
  it.each(FAULTS)(
    'that meets %o says so, leaves nothing that can be read, and goes on later',
    async (fault, message) => {
      const server = await SharingServer.start();
      const place = address(server);
      const store = sampleStore();
      let good = 0;
      server.fault = (seen) => (isShard(seen) && seen.method === 'PUT' && good++ > 2 ? fault : undefined);
      const patience = { ...IMPATIENT, silenceMs: 100, silences: 1, breaks: 4 };
      expect(await failure(push(place, store, server, { patience }))).toMatch(message);
      const left = [...server.files.keys()];
      expect(left.filter((name) => !/\/sha256-[0-9a-f]{64}\.arrow$|\/lfs\//.test(name))).toEqual([]);
      server.fault = () => undefined;
      const before = server.seen.length;
      await push(place, store, server);
      const again = server.seen.slice(before).filter((seen) => isShard(seen) && seen.method === 'PUT');
      const shards = filesBelow(store).filter((name) => name.endsWith('.arrow'));
      expect(again.length).toBeLessThan(shards.length);
      const fresh = temporaryStore();
      await pull(place, fresh, server);
      expect(contents(fresh)).toEqual(contents(store));
    },
  );

  it('that is stopped ends soon', async () => {
    const server = await SharingServer.start();
    const controller = new AbortController();
    server.fault = (seen) => (isShard(seen) && seen.method === 'PUT' ? 'hang' : undefined);
    const stopped = push(address(server), sampleStore(), server, {
      signal: controller.signal,
      patience: PATIENCE,
    });
    setTimeout(() => controller.abort(), 150);
    const started = performance.now();
    await expect(stopped).rejects.toBeInstanceOf(Interrupted);
    expect(performance.now() - started).toBeLessThan(3000);
  });
});

describe('credentials', () => {
  it('that are wrong or missing are named by their place, never by their value', async () => {
    const server = await SharingServer.start();
    const ask = async (address: string, environment: NodeJS.ProcessEnv): Promise<string> => {
      const remote = await openRemote(address, {
        folder: '/',
        environment,
        home: '/nonexistent',
        silenceMs: 400,
      });
      const store = temporaryStore();
      const options = { store, stores: [store], dataset: 'sample', remote, patience: IMPATIENT };
      return failure(pullFeatures(options).finally(() => remote.close()));
    };
    const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _secret, ...noKeys } = server.environment;
    expect(await ask('s3://bucket/p', noKeys)).toMatch(
      /AccessDenied.*no keys were found \(looked for AWS_ACCESS_KEY_ID/,
    );
    const wrong = { ...server.environment, AWS_ACCESS_KEY_ID: 'other' };
    expect(await ask('s3://bucket/p', wrong)).toMatch(/403.*check the S3 keys/);
    expect(await ask(`webdav://u:pass%20word@${server.host}/dav/p`, {})).toMatch(
      /401.*user or password are not accepted/,
    );
    expect(await ask(`webdav://${server.host}/dav/p`, {})).toMatch(/401.*LSGMER_WEBDAV_USER/);
    expect(
      await ask('hf://datasets/team/features', { HF_ENDPOINT: server.environment['HF_ENDPOINT'] }),
    ).toMatch(/401.*HF_TOKEN/);
    expect(await ask('hf://datasets/team/other', server.environment)).toMatch(
      /no such dataset repository.*new-dataset/,
    );
    expect(await ask('webdav://127.0.0.1:1/p', {})).toMatch(
      /no connection to 127\.0\.0\.1:1 \(ECONNREFUSED\).*6 times/,
    );
    expect(await ask('s3://other/p', server.environment)).toMatch(/no such bucket/);
  });

  it('are asked for before a push without any goes to the network', async () => {
    const server = await SharingServer.start();
    const store = sampleStore();
    const { HF_ENDPOINT, AWS_ENDPOINT_URL_S3 } = server.environment;
    const nobody = { HF_ENDPOINT, AWS_ENDPOINT_URL_S3 };
    const ask = async (address: string): Promise<string> => {
      const remote = await openRemote(address, { folder: '/', environment: nobody, home: '/nonexistent' });
      const options = { stores: [store], dataset: 'sample', remote, patience: IMPATIENT };
      return failure(pushFeatures(options).finally(() => remote.close()));
    };
    expect(await ask('s3://bucket/p')).toMatch(
      /^s3:\/\/bucket\/p: no keys were found \(looked for AWS_ACCESS_KEY_ID and .*profile default of .*\): a push takes keys/,
    );
    expect(await ask('hf://datasets/team/features')).toMatch(
      /^hf:\/\/datasets\/team\/features: a push takes a token: set HF_TOKEN/,
    );
    expect(server.seen).toEqual([]);
  });

  it('are not carried to another host', async () => {
    const server = await SharingServer.start();
    await push('hf://datasets/team/features', sampleStore(), server);
    await pull('hf://datasets/team/features', temporaryStore(), server);
    // the storage end of the server answers 400 to anybody who shows the token
    const stored = server.seen.filter(({ path }) => path.startsWith('/hf/lfs/'));
    expect(stored.length).toBeGreaterThan(4);
    expect(stored.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  });
});
