import { statusError } from './failure.ts';
import { type Answer, drop, type HttpClient, rangeFrom, received } from './http.ts';
import type { Received, Remote, RemoteFile } from './remote.ts';

/** HTTP's own user and password. */
export function basicAuthorization(user: string, password: string): { readonly [name: string]: string } {
  if (user === '') return {};
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}` };
}

/** Plain files behind HTTP(S): to be pulled from, with the index that the pusher wrote. */
export class WebRemote implements Remote {
  readonly title: string;
  readonly writable: boolean = false;
  protected readonly client: HttpClient;
  protected readonly base: URL;
  /** Headers that go to the remote's own host only. */
  protected readonly authorization: { readonly [name: string]: string };

  constructor(
    title: string,
    base: URL,
    authorization: { readonly [name: string]: string },
    client: HttpClient,
  ) {
    this.title = title;
    this.base = base;
    this.client = client;
    this.authorization = authorization;
  }

  protected url(path: string): URL {
    return new URL(path.split('/').map(encodeURIComponent).join('/'), this.base);
  }

  protected failed(answer: Answer, what: string, hint = ''): Error {
    return statusError(answer.status, what, '', answer.headers['retry-after'], hint || this.hint());
  }

  protected hint(): string {
    return Object.keys(this.authorization).length > 0
      ? 'user or password are not accepted, or have no right to it'
      : 'give user and password in the address (https://user:password@host/path)';
  }

  async list(_folder: string, _signal?: AbortSignal): Promise<RemoteFile[] | null> {
    return null;
  }

  async size(path: string, signal?: AbortSignal): Promise<number | null> {
    const what = `HEAD ${this.title}/${path}`;
    const headers = { ...this.authorization, 'accept-encoding': 'identity' };
    const answer = await this.client.send(
      { method: 'HEAD', url: this.url(path), headers, what, redirects: 5 },
      signal,
    );
    await drop(answer);
    if (answer.status === 404 || answer.status === 410) return null;
    if (answer.status !== 200) throw this.failed(answer, what);
    const length = answer.headers['content-length'];
    return length === undefined ? null : Number(length);
  }

  async read(path: string, from: number, signal?: AbortSignal): Promise<Received | null> {
    const what = `GET ${this.title}/${path}`;
    const headers = { ...this.authorization, ...rangeFrom(from), 'accept-encoding': 'identity' };
    const answer = await this.client.send(
      { method: 'GET', url: this.url(path), headers, what, redirects: 5 },
      signal,
    );
    if (answer.status === 200 || answer.status === 206) return received(answer, from, what);
    await drop(answer);
    if (answer.status === 404 || answer.status === 410) return null;
    // the beginning that is here is longer than what is there
    if (answer.status === 416 && from > 0) return this.read(path, 0, signal);
    throw this.failed(answer, what);
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}
