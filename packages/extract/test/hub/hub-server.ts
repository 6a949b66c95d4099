import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';

/** A model hub on the loopback: the endpoints that a download needs, and what can go wrong there. */
export class HubServer {
  /** Method and path of every request. */
  readonly requests: string[] = [];
  /** Answers every request with that status. */
  refuse: number | undefined;
  /** Cuts the connection after so many bytes of a file, so many times. */
  cut: { after: number; times: number } | undefined;
  /** Bytes that are sent instead of a file's own. */
  readonly replaced = new Map<string, Buffer>();
  private readonly server: Server;
  private readonly files: ReadonlyMap<string, Buffer>;
  private readonly name: string;
  /** Files that git holds through LFS: known by their sha256. */
  private readonly large: ReadonlySet<string>;

  constructor(name: string, folder: string, large: readonly string[]) {
    this.name = name;
    this.files = new Map(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file))]));
    this.large = new Set(large);
    this.server = createServer((request, response) => this.answer(request, response));
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent(request.url?.split('?')[0] ?? '');
    this.requests.push(
      `${request.method} ${path}${request.headers.range === undefined ? '' : ` ${request.headers.range}`}`,
    );
    if (this.refuse !== undefined) {
      response.writeHead(this.refuse, { 'content-type': 'application/json' }).end('{"error":"no"}');
      return;
    }
    const api = `/api/models/${this.name}`;
    if (path === `${api}/revision/main` || path === `${api}/revision/v1`) {
      this.json(response, { _id: '1', id: this.name, sha: COMMIT, lastModified: '2024-01-01' });
    } else if (path === `${api}/tree/${COMMIT}`)
      this.json(
        response,
        [...this.files].map(([file, bytes]) => this.entry(file, bytes)),
      );
    else if (path.startsWith(`/${this.name}/resolve/${COMMIT}/`)) {
      this.send(path.split('/').at(-1) as string, request, response);
    } else response.writeHead(404).end();
  }

  private entry(path: string, bytes: Buffer): object {
    const oid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
    const lfs = {
      oid: createHash('sha256').update(bytes).digest('hex'),
      size: bytes.length,
      pointerSize: 130,
    };
    return { type: 'file', path, size: bytes.length, oid, ...(this.large.has(path) ? { lfs } : {}) };
  }

  private send(file: string, request: IncomingMessage, response: ServerResponse): void {
    const bytes = this.replaced.get(file) ?? this.files.get(file);
    if (bytes === undefined) {
      response.writeHead(404, { 'X-Error-Code': 'EntryNotFound' }).end();
      return;
    }
    const [, first, last] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
    const from = Number(first ?? 0);
    const to = last === undefined || last === '' ? bytes.length - 1 : Number(last);
    const part = bytes.subarray(from, to + 1);
    response.writeHead(first === undefined ? 200 : 206, {
      etag: '"x"',
      'content-length': part.length,
      ...(first === undefined ? {} : { 'content-range': `bytes ${from}-${to}/${bytes.length}` }),
    });
    const { cut } = this;
    if (cut !== undefined && cut.times > 0 && part.length > cut.after) {
      cut.times--;
      response.write(part.subarray(0, cut.after), () => setTimeout(() => response.destroy(), 30));
    } else response.end(part);
  }

  private json(response: ServerResponse, value: unknown): void {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  }
}
