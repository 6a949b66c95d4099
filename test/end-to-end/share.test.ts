import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { generateDemo, locateSets, silent } from '@lsgmer/datasets';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forgetInputs } from '../../packages/datasets/test/store/older-shards.ts';
import { done, WorkFolder } from './command-line.ts';

/** Features made in one place, trained in another one that has no corpus. */
const here = new WorkFolder();
const there = new WorkFolder();
const remote = here.path('remote');
const TRAIN = 'train --dataset demo --recipe demo --fold 1 --set epochs=1 --set d=16 --json'.split(' ');

beforeAll(async () => {
  await generateDemo(here.path('corpus'), { utterances: 40, reporter: silent });
  done(await here.run('manifest', 'build', '--dataset', 'demo', '--root', here.path('corpus'), '--subset'));
  done(await here.run('features', 'extract', '--dataset', 'demo', '--preset', 'tiny', '--device', 'cpu'));
  // older shards go over like today's
  const [set] = locateSets([here.path('store')], 'demo', 'random-tiny-wavlm');
  forgetInputs(set?.folder ?? '');
}, 60_000);
afterAll(() => {
  here.remove();
  there.remove();
});

describe('push and pull', () => {
  it('train in an empty folder gives what it gives where the features were extracted', async () => {
    expect(done(await here.run('push', remote, '--dry-run'))).toMatch(/would send [\d.]+ MB/);
    const sent = JSON.parse(done(await here.run('push', remote, '--json'))) as {
      bytes: number;
      sets: unknown[];
    };
    expect([sent.sets.length, sent.bytes > 100_000]).toEqual([3, true]);
    expect(done(await here.run('features', 'push', '--remote', remote))).toMatch(/sent 0\.0 kB/);

    const pulled = await there.run('pull', remote);
    expect(done(pulled)).toMatch(/fetched .* the manifest goes along/);
    expect(pulled.err).toMatch(/dataset demo \(the only one at/);
    expect(done(await there.run('features', 'verify'))).toMatch(/every byte is as it was written/);
    const status = JSON.parse(done(await there.run('features', 'status', '--json'))) as {
      coverage: { missing: string[] };
      stale: number;
      problems: string[];
    }[];
    expect(status.map(({ coverage, stale, problems }) => [coverage.missing, stale, problems])).toEqual(
      Array.from({ length: 3 }, () => [[], 0, []]),
    );

    rmSync(here.path('corpus'), { recursive: true });
    const ours = JSON.parse(done(await here.run(...TRAIN))) as object;
    const theirs = JSON.parse(done(await there.run(...TRAIN))) as object;
    // run ids, scores and predictions, whatever the folder is called
    expect(JSON.parse(JSON.stringify(theirs).replaceAll(there.folder, here.folder))).toEqual(ours);
    const runs = (place: WorkFolder): string[] => readdirSync(place.path('runs', 'demo', '4class')).sort();
    expect(runs(there)).toEqual(runs(here));
    for (const run of runs(here).filter((name) => /^[0-9a-f]{12}$/.test(name)))
      for (const file of ['predictions.csv', 'head.safetensors'])
        expect(readFileSync(there.path('runs', 'demo', '4class', run, file))).toEqual(
          readFileSync(here.path('runs', 'demo', '4class', run, file)),
        );
    // what was pushed to a folder is a store
    const direct = await there.run('features', 'verify', '--store', remote);
    expect(done(direct)).toMatch(/every byte/);
  });

  it('repair --from fetches what is damaged, and computes nothing', async () => {
    const [set = ''] = readdirSync(there.path('store', 'demo', 'random-tiny-wavlm'));
    const folder = there.path('store', 'demo', 'random-tiny-wavlm', set);
    const file = (kind: string): string => join(folder, kind, readdirSync(join(folder, kind))[0] ?? '');
    const bytes = readFileSync(file('shards'));
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 16;
    writeFileSync(file('shards'), bytes);
    appendFileSync(file('index'), ' ');
    const failed = await there.run('features', 'repair', '--dry-run', '--json');
    expect(failed.code).toBe(0);
    const elsewhere = await there.run('features', 'repair', '--from', there.path('nowhere'));
    expect([elsewhere.code, elsewhere.err]).toEqual([2, expect.stringMatching(/no dataset demo/)]);
    expect(readFileSync(file('shards'))).toEqual(bytes); // nothing was touched
    expect(done(await there.run('features', 'repair', '--from', remote, '--dry-run'))).toMatch(
      /what .* has of it would be fetched instead/,
    );
    const mended = JSON.parse(done(await there.run('features', 'repair', '--from', remote, '--json'))) as {
      sets: { mended: boolean; fetched: string[]; computed: number; redo: string[] }[];
    };
    expect(mended.sets).toMatchObject([{ mended: true, computed: 0, redo: [] }]);
    expect(mended.sets[0]?.fetched).toHaveLength(2);
    expect(done(await there.run('features', 'verify'))).toMatch(/every byte/);
  });

  it('repair --from after a lost index says that rows came from there, and nothing else', async () => {
    const [set = ''] = readdirSync(there.path('store', 'demo', 'random-tiny-wavlm'));
    rmSync(there.path('store', 'demo', 'random-tiny-wavlm', set, 'index'), { recursive: true });
    const said = done(await there.run('features', 'repair', '--from', remote));
    expect(said).toMatch(/ rows lost, or of unknown input, and fetched\n/);
    expect(said).toMatch(/stood in the lost index alone, so they are fetched\n/);
    expect(said).not.toMatch(/computed again/);
  });

  it('a wrong place costs one line', async () => {
    const refused = async (...args: string[]): Promise<string> => {
      const { code, err } = await there.run(...args, '--quiet');
      const lines = err.trim().split('\n');
      expect([code, lines.length], err).toEqual([2, 1]);
      return err;
    };
    expect(await refused('pull')).toMatch(/which remote\? Give a folder, s3:/);
    expect(await refused('pull', 'gs://bucket/x', '--dataset', 'demo')).toMatch(
      /"gs:" is not known.*expected a folder/,
    );
    expect(await refused('pull', there.path('nowhere'), '--dataset', 'demo')).toMatch(/no dataset demo/);
    expect(await refused('push', 'https://user:s3cret@example.org/x', '--dataset', 'demo')).toMatch(
      /^(?!.*s3cret).*only be pulled from/,
    );
    expect(await refused('pull', remote, '--split', 'train')).toMatch(/has no splits/);
    expect(await refused('pull', remote, '--at-once', '0')).toMatch(/--at-once/);
    mkdirSync(there.path('a'));
    writeFileSync(there.path('a', 'file'), '');
    expect(await refused('push', there.path('a', 'file'), '--dataset', 'demo')).toMatch(/is a file/);
  });

  it('a pull that was stopped is told by status, verify and train, and goes on', async () => {
    const fresh = new WorkFolder();
    let slow = true;
    const server: Server = createServer(({ url = '' }, answer) => {
      const path = join(remote, decodeURIComponent(url).slice(1));
      if (!existsSync(path) || !statSync(path).isFile()) return void answer.writeHead(404).end();
      const bytes = readFileSync(path);
      answer.writeHead(200, { 'content-length': String(bytes.length) });
      // of the shards a half comes
      if (slow && path.endsWith('.arrow')) answer.write(bytes.subarray(0, bytes.length >> 1));
      else answer.end(bytes);
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    try {
      const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const stopped = await fresh.stop('SIGINT', /pull demo:/, 'pull', address, '--dataset', 'demo');
      expect(stopped.code, stopped.err).toBe(130);
      const line = `a pull from ${address} was stopped`;
      const status = await fresh.run('features', 'status');
      expect([status.code, status.out, status.err]).toEqual([
        3,
        expect.stringContaining(line),
        expect.not.stringContaining('build its manifest'),
      ]);
      const train = await fresh.run('train');
      expect([train.code, train.err]).toEqual([
        2,
        expect.stringContaining(`${line} before its manifest came`),
      ]);
      slow = false;
      done(await fresh.run('pull', address, '--dataset', 'demo'));
      done(await fresh.run('features', 'status'));
    } finally {
      server.closeAllConnections();
      server.close();
      fresh.remove();
    }
  });

  it('Ctrl-C ends it soon with 130, and says how to go on', async () => {
    const server: Server = createServer(() => {}); // takes connections, answers nothing
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    try {
      const started = performance.now();
      const { port } = server.address() as AddressInfo;
      const stopped = await there.stop('SIGINT', /the only one/, 'push', `webdav://127.0.0.1:${port}/x`);
      expect([stopped.code, performance.now() - started < 20_000], stopped.err).toEqual([130, true]);
      expect(stopped.err).toMatch(/the same command/);
      expect(stopped.err).not.toMatch(/\n\s+at /);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
