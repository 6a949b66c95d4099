import { createReadStream, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve, sep } from 'node:path';
import { encodeWav, UserError, type Utterance } from '@lsgmer/datasets';
import { type Clip, decodeClips, DEFAULT_DECODE_POLICY, requireFfmpeg, SAMPLE_RATE } from '@lsgmer/extract';
import type { Context } from './context.ts';

export interface ServeOptions {
  /** Folder of a written report. */
  readonly folder: string;
  /** 0: any free one. */
  readonly port: number;
  /** Folder of the corpus; undefined: no sound. */
  readonly root: string | undefined;
  /** The manifest's rows: only their ids have sound. */
  readonly utterances: readonly Utterance[];
}

const HOST = '127.0.0.1';

/** What the server hands out: nothing else in the folder, nothing outside of it. */
const FILES =
  /^\/(?:index\.html|explorer\.html|explorer\.js|data\/(?:index|attention-\d+)\.js|figures\/[a-z0-9-]+\.svg|tables\/[a-z0-9-]+\.(?:csv|md|tex))$/;
const TYPES: { readonly [extension: string]: string } = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
  csv: 'text/csv; charset=utf-8',
  md: 'text/plain; charset=utf-8',
  tex: 'text/plain; charset=utf-8',
};

/** Serves a report until the context's signal. */
export async function serveReport(context: Context, options: ServeOptions): Promise<void> {
  const server = await startReportServer(options);
  const { port } = server.address() as AddressInfo;
  context.print(`http://${HOST}:${port}/ (this machine only; Ctrl-C ends it)`);
  await new Promise<void>((done) => {
    if (context.signal.aborted) done();
    else context.signal.addEventListener('abort', () => done(), { once: true });
  });
  server.closeAllConnections();
  await new Promise<void>((done) => server.close(() => done()));
}

/** Listens on the loopback address. @throws UserError where the port is taken */
export async function startReportServer(options: ServeOptions): Promise<Server> {
  const sounds = new Sounds(options);
  const server = createServer((request, response) => {
    answer(request, response, options, sounds).catch((error: unknown) => {
      if (!response.headersSent) refuse(response, 500, (error as Error).message);
      else response.destroy();
    });
  });
  await new Promise<void>((done, failed) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      failed(
        error.code === 'EADDRINUSE' || error.code === 'EACCES'
          ? new UserError(
              `port ${options.port} cannot be had (${error.code}): choose another with --port, or leave it out`,
            )
          : error,
      ),
    );
    server.listen(options.port, HOST, done);
  });
  return server;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: ServeOptions,
  sounds: Sounds,
): Promise<void> {
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('cache-control', 'no-store');
  // a page elsewhere that resolves its own name to this address is not let in
  const host = (request.headers.host ?? '').replace(/:\d+$/, '');
  if (host !== HOST && host !== 'localhost')
    return refuse(response, 403, 'this server answers on the loopback address only');
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return refuse(response, 405, 'GET and HEAD only');
  const path = (request.url ?? '/').replace(/[?#].*$/, '');
  if (path === '/') {
    response.writeHead(302, { location: '/index.html' }).end();
    return;
  }
  if (path === '/serve.json') {
    send(request, response, 'application/json', Buffer.from(JSON.stringify(sounds.info())));
    return;
  }
  if (path.startsWith('/audio/')) {
    const id = decodeId(path.slice('/audio/'.length));
    const wav = id === undefined ? undefined : await sounds.of(id);
    if (wav === undefined) return refuse(response, 404, 'no such utterance');
    if (typeof wav === 'string') return refuse(response, 404, `${id}: ${wav}`);
    send(request, response, 'audio/wav', wav);
    return;
  }
  if (!FILES.test(path)) return refuse(response, 404, 'no such file');
  sendFile(request, response, join(options.folder, path.slice(1)));
}

function decodeId(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${why}\n`);
}

function sendFile(request: IncomingMessage, response: ServerResponse, file: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined || !found.isFile()) return refuse(response, 404, 'no such file');
  response.writeHead(200, {
    'content-type': TYPES[file.slice(file.lastIndexOf('.') + 1)] ?? 'application/octet-stream',
    'content-length': found.size,
  });
  if (request.method === 'HEAD') response.end();
  else
    createReadStream(file)
      .on('error', () => response.destroy())
      .pipe(response);
}

/** Bytes in memory, whole or the range that is asked for (RFC 9110, one range). */
function send(request: IncomingMessage, response: ServerResponse, type: string, bytes: Buffer): void {
  const range = byteRange(request.headers.range, bytes.length);
  if (range === 'unsatisfiable') {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    return;
  }
  const { first, last } = range ?? { first: 0, last: bytes.length - 1 };
  response.writeHead(range === undefined ? 200 : 206, {
    'content-type': type,
    'accept-ranges': 'bytes',
    'content-length': last - first + 1,
    ...(range === undefined ? {} : { 'content-range': `bytes ${first}-${last}/${bytes.length}` }),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes.subarray(first, last + 1));
}

/** First and last byte of a `Range` header; undefined where all is to be sent (no header, or one that is not understood). */
export function byteRange(
  header: string | undefined,
  size: number,
): { readonly first: number; readonly last: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const [from, to] = [match[1] as string, match[2] as string];
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === '' || to === '' ? size - 1 : Math.min(size - 1, Number(to));
  if (from === '' && Number(to) === 0) return 'unsatisfiable';
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined;
  return first < size ? { first, last } : 'unsatisfiable';
}

/** Decoded sounds kept at a time: a player asks for one in several pieces. */
const KEPT = 8;

/** What the encoders heard: utterances as mono WAVs at 16 kHz, by id of the manifest and nothing else. */
class Sounds {
  private readonly clips: ReadonlyMap<string, Clip>;
  private readonly rooted: boolean;
  private readonly kept = new Map<string, Promise<Buffer | string>>();

  constructor({ root, utterances }: ServeOptions) {
    const there = root !== undefined && statSync(root, { throwIfNoEntry: false })?.isDirectory() === true;
    this.rooted = there;
    this.clips = new Map(there ? utterances.flatMap((one) => clipOf(resolve(root), one)) : []);
  }

  info(): { audio: boolean; reason: string | null } {
    if (this.clips.size > 0) return { audio: true, reason: null };
    const reason = this.rooted
      ? 'the manifest has no recordings: no sound'
      : 'the folder of the corpus is not known or not there: give it once with --root';
    return { audio: false, reason };
  }

  /** A WAV file, the reason why there is none, or undefined for an id that the manifest lacks. */
  of(id: string): Promise<Buffer | string> | undefined {
    const clip = this.clips.get(id);
    if (clip === undefined) return undefined;
    const known = this.kept.get(id);
    if (known !== undefined) return known;
    const made = decode(clip);
    this.kept.set(id, made);
    if (this.kept.size > KEPT) this.kept.delete(this.kept.keys().next().value as string);
    return made;
  }
}

/** None for a row without a recording, and for a path that leads out of the corpus: manifests come from anywhere. */
function clipOf(root: string, { id, media }: Utterance): [id: string, clip: Clip][] {
  if (media === null) return [];
  const { start, end, channel } = media;
  const path = resolve(root, ...media.path.split('/'));
  if (!path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)) return [];
  const clip = {
    path,
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
    ...(channel === undefined ? {} : { channel }),
  };
  return [[id, clip]];
}

async function decode(clip: Clip): Promise<Buffer | string> {
  try {
    const [decoded] = await decodeClips([clip], {
      policy: DEFAULT_DECODE_POLICY,
      sampleRate: SAMPLE_RATE,
      ffmpeg: requireFfmpeg,
      processes: 1,
    });
    if (decoded === undefined) return 'not decoded';
    return 'samples' in decoded ? encodeWav(decoded.samples, SAMPLE_RATE) : decoded.reason;
  } catch (error) {
    return (error as Error).message;
  }
}
