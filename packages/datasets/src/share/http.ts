import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { rootCertificates } from 'node:tls';
import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { UserError } from '../base/errors.ts';
import { bodyOf, stopped } from './body.ts';
import { networkError, TransferFailure } from './failure.ts';
import type { Received } from './remote.ts';

/** What the environment says about connections. */
export interface HttpSettings {
  readonly silenceMs: number;
  /** HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in either case, are looked for in it. */
  readonly environment: NodeJS.ProcessEnv;
  /** File of further certificates. */
  readonly certificates?: string | undefined;
}

export interface Asked {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE' | 'MKCOL' | 'MOVE' | 'PROPFIND';
  readonly url: URL;
  readonly headers?: { readonly [name: string]: string };
  readonly body?: string | AsyncIterable<Uint8Array>;
  /** For messages: without credentials. */
  readonly what: string;
  /** Follow this many redirects; credentials stay at their own host. */
  readonly redirects?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | undefined };
  readonly body: Readable;
}

const CONNECT_MS = 15_000;
/** Answers that are read whole. */
const MOST_TEXT_BYTES = 64 * 2 ** 20;

/** Requests over connections that are kept; silence is bounded in both directions. */
export class HttpClient {
  readonly dispatcher: Dispatcher;

  constructor({ silenceMs, environment, certificates }: HttpSettings) {
    const connect = {
      timeout: Math.min(CONNECT_MS, silenceMs),
      ...(certificates === undefined ? {} : { ca: [...rootCertificates, certificateFile(certificates)] }),
    };
    const options = { headersTimeout: silenceMs, bodyTimeout: silenceMs, connect };
    const said = (name: string): string => environment[name] ?? environment[name.toUpperCase()] ?? '';
    const [httpProxy, httpsProxy] = [said('http_proxy'), said('https_proxy')];
    this.dispatcher =
      httpProxy === '' && httpsProxy === ''
        ? new Agent(options)
        : new EnvHttpProxyAgent({ ...options, httpProxy, httpsProxy, noProxy: said('no_proxy') });
  }

  /** @throws TransferFailure, UserError for what the network does; any status is an answer. */
  async send(asked: Asked, signal?: AbortSignal): Promise<Answer> {
    const { method, what, body, redirects = 0 } = asked;
    let { url } = asked;
    let headers = { 'user-agent': 'lsgmer', ...asked.headers };
    for (let hop = 0; ; hop++) {
      const answer = await this.#once(method, url, headers, body, what, signal);
      const target = answer.headers['location'];
      if (answer.status < 301 || answer.status > 308 || target === undefined || hop === redirects)
        return answer;
      await drop(answer);
      const next = new URL(target, url);
      if (next.protocol !== 'https:' && next.protocol !== url.protocol)
        throw new UserError(`${what}: it points to ${next.protocol}//${next.host}, which is not secured`);
      if (next.host !== url.host) {
        const { authorization: _authorization, ...rest } = headers as { [name: string]: string };
        headers = rest as typeof headers;
      }
      url = next;
    }
  }

  async #once(
    method: Asked['method'],
    url: URL,
    headers: { readonly [name: string]: string },
    body: Asked['body'],
    what: string,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    try {
      const answer = await request(url, {
        method: method as Dispatcher.HttpMethod,
        headers,
        dispatcher: this.dispatcher,
        ...(body === undefined ? {} : { body: body as string }),
        ...(signal === undefined ? {} : { signal }),
      });
      const flat = Object.entries(answer.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(', ') : value,
      ]);
      // an error of a body that nobody reads is nobody's
      answer.body.on('error', () => {});
      return { status: answer.statusCode, headers: Object.fromEntries(flat), body: answer.body };
    } catch (error) {
      throw stopped(error, signal) ?? networkError(error, what);
    }
  }

  /** The body of an answer as text. */
  async text(answer: Answer, what: string, signal?: AbortSignal): Promise<string> {
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of bodyOf(answer.body, what, signal)) {
      bytes += piece.length;
      if (bytes > MOST_TEXT_BYTES)
        throw new UserError(
          `${what}: the answer has more than ${MOST_TEXT_BYTES} bytes: is the address right?`,
        );
      pieces.push(piece);
    }
    return Buffer.concat(pieces).toString('utf8');
  }

  async close(): Promise<void> {
    await this.dispatcher.destroy();
  }
}

function certificateFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`the certificates in ${path} cannot be read (${(error as Error).message})`);
  }
}

/** An answer that nobody wants: short ones are read so that the connection can be used again. */
export async function drop({ body }: Answer): Promise<void> {
  try {
    let bytes = 0;
    for await (const piece of body) {
      bytes += (piece as Uint8Array).length;
      if (bytes > 65_536) break;
    }
  } catch {
    // it was not wanted
  }
}

/** Headers that ask for a file from a byte on. */
export const rangeFrom = (from: number): { [name: string]: string } =>
  from === 0 ? {} : { range: `bytes=${from}-` };

/**
 * What a 200 or 206 gives.
 * @throws TransferFailure where the answer is not for what was asked.
 */
export function received(answer: Answer, asked: number, what: string): Received {
  const { status, headers, body } = answer;
  const length = /^\d+$/.test(headers['content-length'] ?? '') ? Number(headers['content-length']) : null;
  if (headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity') {
    body.destroy();
    throw new UserError(
      `${what}: the server packs files on their way (${headers['content-encoding']}): switch that off for this folder`,
    );
  }
  if (status === 200) return { from: 0, total: length, body };
  const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers['content-range'] ?? '');
  if (range === null || Number(range[1]) !== asked) {
    body.destroy();
    throw new TransferFailure(
      'broken',
      `${what}: asked for bytes from ${asked}, and the answer is "${headers['content-range'] ?? ''}"`,
    );
  }
  return { from: asked, total: range[3] === '*' ? null : Number(range[3]), body };
}
