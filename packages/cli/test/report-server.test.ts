import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeWav, type Utterance } from '@lsgmer/datasets';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { byteRange, startReportServer } from '../src/report-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-serve-'));
const [report, root] = [join(folder, 'report'), join(folder, 'corpus')];
const samples = Float32Array.from({ length: 16_000 }, (_, i) => Math.sin(i / 20));
const utterance = (id: string, media: Partial<NonNullable<Utterance['media']>> | null): Utterance => ({
  id,
  dataset: 'made',
  split: null,
  session: null,
  dialogue: null,
  turn: null,
  speaker: null,
  rawLabel: null,
  annotations: [],
  text: '',
  rawText: '',
  textSource: 'corpus',
  media:
    media === null
      ? null
      : { path: 'a.wav', sha256: null, seconds: 1, sampleRate: 16_000, channels: 1, ...media },
  tags: {},
});
const utterances = [
  utterance('made/a', {}),
  utterance('made/part', { start: 0.25, end: 0.5 }),
  utterance('made/silent', null),
  utterance('made/outside', { path: '../secret.wav' }),
  utterance('made/lost', { path: 'lost.wav' }),
];
let server: Server;
let port: number;

beforeAll(async () => {
  mkdirSync(join(report, 'data'), { recursive: true });
  mkdirSync(root);
  writeFileSync(join(report, 'index.html'), '<p>page</p>');
  writeFileSync(join(report, 'data/index.js'), 'lsgmerChunk()');
  writeFileSync(join(report, 'notes.txt'), 'not the report');
  writeFileSync(join(folder, 'secret.wav'), encodeWav(samples, 16_000));
  writeFileSync(join(root, 'a.wav'), encodeWav(samples, 16_000));
  server = await startReportServer({ folder: report, port: 0, root, utterances });
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  rmSync(folder, { recursive: true, force: true });
});

interface Got {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

/** Paths go out as they are: fetch would tidy up `..`. */
function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Got> {
  return new Promise((done, failed) => {
    const asked = request({ host: '127.0.0.1', port, path, headers, method }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () =>
        done({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }),
      );
    });
    asked.on('error', failed);
    asked.end();
  });
}

const pcm = (wav: Buffer): Int16Array => new Int16Array(new Uint8Array(wav.subarray(44)).buffer);

it('listens on the loopback address alone', () => {
  expect((server.address() as AddressInfo).address).toBe('127.0.0.1');
});

it('serves the files of a report, and nothing else', async () => {
  expect((await get('/')).headers['location']).toBe('/index.html');
  const page = await get('/index.html?x=1');
  expect([page.status, page.headers['content-type'], page.body.toString()]).toEqual([
    200,
    'text/html; charset=utf-8',
    '<p>page</p>',
  ]);
  expect((await get('/data/index.js')).status).toBe(200);
  const refused = [
    '/notes.txt',
    '/.gitignore',
    '/data/',
    '/data/attention-99.js',
    '/../secret.wav',
    '/data/../../secret.wav',
    '/%2e%2e/secret.wav',
    '/data/..%2f..%2fsecret.wav',
    '//etc/passwd',
    '/index.html/../../secret.wav',
  ];
  for (const path of refused) expect((await get(path)).status, path).toBe(404);
});

it('answers no other name than its own, and reads only', async () => {
  expect((await get('/index.html', { host: 'evil.example' })).status).toBe(403);
  expect((await get('/index.html', { host: `localhost:${port}` })).status).toBe(200);
  expect((await get('/index.html', {}, 'POST')).status).toBe(405);
  const head = await get('/index.html', {}, 'HEAD');
  expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, '11', 0]);
});

describe('sound', () => {
  it('is there for ids of the manifest with a recording inside the corpus', async () => {
    expect(JSON.parse((await get('/serve.json')).body.toString())).toEqual({ audio: true, reason: null });
    const whole = await get('/audio/made/a');
    expect([whole.status, whole.headers['content-type'], whole.body.length]).toEqual([
      200,
      'audio/wav',
      44 + 32_000,
    ]);
    // written at 32767 and read at 32768: a step of the last bit at most
    const [got, sent] = [pcm(whole.body), pcm(encodeWav(samples, 16_000))];
    expect(Math.max(...got.map((value, i) => Math.abs(value - (sent[i] as number))))).toBeLessThanOrEqual(1);
    expect((await get('/audio/made%2Fa')).status).toBe(200);
    // a segment is what the encoders heard: 0.25 s from 0.25 s on
    const part = await get('/audio/made/part');
    expect(part.body.length).toBe(44 + 8_000);
    expect(part.body.subarray(44).equals(whole.body.subarray(44 + 8_000, 44 + 16_000))).toBe(true);
    const refused = [
      'made/silent',
      'made/outside',
      'made/none',
      '../secret.wav',
      'made/../a',
      '%2e%2e/secret.wav',
      'a.wav',
      '%ZZ',
      '',
    ];
    for (const id of refused) expect((await get(`/audio/${id}`)).status, id).toBe(404);
    const lost = await get('/audio/made/lost');
    expect([lost.status, lost.body.toString()]).toEqual([404, 'made/lost: the file is missing\n']);
  });

  it('comes in ranges', async () => {
    const whole = await get('/audio/made/a');
    const range = await get('/audio/made/a', { range: 'bytes=100-199' });
    expect([range.status, range.headers['content-range'], range.headers['content-length']]).toEqual([
      206,
      'bytes 100-199/32044',
      '100',
    ]);
    expect(range.body.equals(whole.body.subarray(100, 200))).toBe(true);
    const end = await get('/audio/made/a', { range: 'bytes=-4' });
    expect(end.body.equals(whole.body.subarray(-4))).toBe(true);
    const beyond = await get('/audio/made/a', { range: 'bytes=32044-' });
    expect([beyond.status, beyond.headers['content-range']]).toEqual([416, 'bytes */32044']);
  });

  it('reads ranges as RFC 9110 has them', () => {
    expect(byteRange(undefined, 10)).toBeUndefined();
    expect(byteRange('bytes=0-', 10)).toEqual({ first: 0, last: 9 });
    expect(byteRange('bytes=2-4', 10)).toEqual({ first: 2, last: 4 });
    expect(byteRange('bytes=2-40', 10)).toEqual({ first: 2, last: 9 });
    expect(byteRange('bytes=-3', 10)).toEqual({ first: 7, last: 9 });
    expect(byteRange('bytes=-30', 10)).toEqual({ first: 0, last: 9 });
    expect(byteRange('bytes=10-', 10)).toBe('unsatisfiable');
    expect(byteRange('bytes=-0', 10)).toBe('unsatisfiable');
    // not understood, or several: all of it
    for (const header of ['bytes=-', 'bytes=4-2', 'bytes=0-1,3-4', 'lines=1-2', 'bytes=a-b'])
      expect(byteRange(header, 10), header).toBeUndefined();
  });

  it('says why there is none', async () => {
    const deaf = await startReportServer({ folder: report, port: 0, root: undefined, utterances });
    const answer = await fetch(`http://127.0.0.1:${(deaf.address() as AddressInfo).port}/serve.json`);
    expect(await answer.json()).toEqual({
      audio: false,
      reason: 'the folder of the corpus is not known or not there: give it once with --root',
    });
    deaf.closeAllConnections();
    await new Promise((done) => deaf.close(done));
  });
});

it('says what to do where the port is taken', async () => {
  await expect(startReportServer({ folder: report, port, root, utterances })).rejects.toThrow(
    `port ${port} cannot be had (EADDRINUSE): choose another with --port, or leave it out`,
  );
});
