import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Exchange, Reply, Upload } from './exchange.ts';
import { answerHub } from './hub-protocol.ts';
import { answerS3 } from './s3-protocol.ts';
import { answerWebDav } from './webdav-protocol.ts';

/** What a request meets instead of a right answer. */
export type Fault =
  /** This status, and nothing done. */
  | { readonly status: number; readonly headers?: { readonly [name: string]: string } }
  /** No answer at all. */
  | 'hang'
  /** The connection breaks after so many bytes of the body, in whichever direction it goes. */
  | { readonly cutAfter: number }
  /** One bit of the body is another one. */
  | 'wrong-bytes'
  /** Range is not understood: the whole file comes. */
  | 'no-range'
  /** 206 with another range than was asked for. */
  | 'wrong-range'
  /** The first bytes come, then nothing more. */
  | 'stall';

export interface Seen {
  readonly method: string;
  /** Decoded, with the protocol in front: `/s3/bucket/...`. */
  readonly path: string;
  /** With its question mark, where there is any. */
  readonly query: string;
  readonly headers: IncomingMessage['headers'];
}

/**
 * S3, WebDAV (`dav`; `bare` is without PROPFIND), plain files (`web`) and the Hugging Face hub on loopback, over files
 * in memory. What is asked of the right protocol is answered as the real ones do; faults are put in by hand.
 */
export class SharingServer {
  /** Content by path: `/bucket/key`, `/folder/file`, `/owner/name/path`. */
  readonly files = new Map<string, Buffer>();
  readonly changed = new Map<string, Date>();
  readonly uploads = new Map<string, Upload>();
  readonly folders = new Set<string>(['']);
  readonly seen: Seen[] = [];
  /** Asked before each request. */
  fault: (seen: Seen) => Fault | undefined = () => undefined;
  port = 0;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  static async start(): Promise<SharingServer> {
    const server = new SharingServer();
    await new Promise<void>((done) => server.#server.listen(0, '127.0.0.1', done));
    server.port = (server.#server.address() as AddressInfo).port;
    onTestFinished(() => {
      server.#server.closeAllConnections();
      server.#server.close();
    });
    return server;
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** What a client needs to know to find the S3 and hub ends of this server. */
  get environment(): NodeJS.ProcessEnv {
    return {
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'S3CRET/KEY+EXAMPLE',
      AWS_ENDPOINT_URL_S3: `http://${this.host}/s3`,
      AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
      AWS_CONFIG_FILE: '/nonexistent',
      LSGMER_WEBDAV_USER: 'user',
      LSGMER_WEBDAV_PASSWORD: 'pass word',
      HF_ENDPOINT: `http://${this.host}/hf`,
      HF_TOKEN: 'hf_secrettoken',
    };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', `http://${this.host}`);
    const path = decodeURIComponent(url.pathname);
    const { method = '', headers } = request;
    const seen = { method, path, query: url.search, headers };
    this.seen.push(seen);
    const fault = this.fault(seen);
    if (fault === 'hang') return;
    if (typeof fault === 'object' && 'status' in fault) {
      request.resume();
      response.writeHead(fault.status, fault.headers).end();
      return;
    }
    const cut = typeof fault === 'object' ? fault.cutAfter : null;
    const body = await readBody(request, cut);
    if (body === null) return;
    const [, protocol = '', rest = ''] = /^\/([^/]+)(\/.*)?$/.exec(path) ?? [];
    const exchange = { request, url, path: rest, body, server: this };
    const reply = PROTOCOLS[protocol]?.(exchange) ?? { status: 404 };
    send(response, reply, request, fault, cut);
  }
}

/** @returns null where the connection was cut on purpose. */
async function readBody(request: IncomingMessage, cut: number | null): Promise<Buffer | null> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of request) {
      pieces.push(piece as Buffer);
      bytes += (piece as Buffer).length;
      if (cut !== null && request.method === 'PUT' && bytes > cut) {
        request.socket.destroy();
        return null;
      }
    }
  } catch {
    return null;
  }
  return Buffer.concat(pieces);
}

function send(
  response: ServerResponse,
  reply: Reply,
  request: IncomingMessage,
  fault: Fault | undefined,
  cut: number | null,
): void {
  let { status } = reply;
  let body = Buffer.from(reply.body ?? '');
  const headers: { [name: string]: string } = { ...reply.headers };
  const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
  if (status === 200 && request.method === 'GET' && range !== undefined && fault !== 'no-range') {
    const from = Number(range);
    if (from >= body.length) {
      status = 416;
      headers['content-range'] = `bytes */${body.length}`;
      body = Buffer.alloc(0);
    } else {
      status = 206;
      const said = fault === 'wrong-range' ? from + 1 : from;
      headers['content-range'] = `bytes ${said}-${body.length - 1}/${body.length}`;
      body = body.subarray(from);
    }
  }
  headers['content-length'] = String(body.length);
  response.writeHead(status, headers);
  if (request.method === 'HEAD') response.end();
  else if (fault === 'wrong-bytes' && body.length > 0) {
    const wrong = Buffer.from(body);
    wrong[wrong.length >> 1] = (wrong[wrong.length >> 1] as number) ^ 4;
    response.end(wrong);
  } else if (fault === 'stall') response.write(body.subarray(0, body.length >> 1));
  else if (cut !== null && body.length > cut)
    response.write(body.subarray(0, cut), () => setImmediate(() => response.socket?.destroy()));
  else response.end(body);
}

function answerWeb({ path, server, request }: Exchange): Reply {
  const file = server.files.get(path);
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405 };
  return file === undefined ? { status: 404 } : { status: 200, body: file };
}

const PROTOCOLS: { readonly [name: string]: (exchange: Exchange) => Reply } = {
  s3: answerS3,
  dav: answerWebDav,
  bare: (exchange) => (exchange.request.method === 'PROPFIND' ? { status: 405 } : answerWebDav(exchange)),
  web: answerWeb,
  hf: answerHub,
};
