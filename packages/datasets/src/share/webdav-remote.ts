import { randomBytes } from 'node:crypto';
import { UserError } from '../base/errors.ts';
import { TransferFailure } from './failure.ts';
import { drop } from './http.ts';
import { piecesOf } from './outgoing.ts';
import { isTemporary, type Outgoing, type RemoteFile } from './remote.ts';
import { WebRemote } from './web-remote.ts';
import { at, parseXml, textAt } from './xml.ts';

const PROPERTIES =
  '<?xml version="1.0" encoding="utf-8"?><D:propfind xmlns:D="DAV:"><D:prop><D:getcontentlength/><D:getlastmodified/><D:resourcetype/></D:prop></D:propfind>';

/** Longest wait for the removal of what a failed upload left. */
const CLEAN_UP_MS = 5000;

/** Name of a file that is being uploaded. */
const UPLOAD = /\.[0-9a-f]{12}\.tmp$/;
/** An upload that the server has got nothing of for so long has no writer any more. */
const ABANDONED_MS = 86_400_000;

interface DavEntry {
  readonly path: string;
  readonly bytes: number;
  readonly isFolder: boolean;
  /** Milliseconds since the last change, by the server's clock; 0 where it does not say. */
  readonly age: number;
}

/**
 * WebDAV. A file is put under a name of its own and moved when it is whole: some servers show what a broken upload
 * has brought so far.
 */
export class WebDavRemote extends WebRemote {
  override readonly writable = true;
  readonly #folders = new Map<string, Promise<void>>();
  /** Uploads that no writer ended, as far as folders were listed. */
  readonly #abandoned = new Set<string>();

  protected override hint(): string {
    return Object.keys(this.authorization).length > 0
      ? 'user or password are not accepted, or have no right to it'
      : 'give LSGMER_WEBDAV_USER and LSGMER_WEBDAV_PASSWORD, or user:password@ in the address';
  }

  override async list(folder: string, signal?: AbortSignal): Promise<RemoteFile[] | null> {
    const files: RemoteFile[] = [];
    const open = [folder];
    for (let inside = open.pop(); inside !== undefined; inside = open.pop()) {
      const entries = await this.#entries(inside, signal);
      if (entries === null) return null;
      for (const { path, bytes, isFolder, age } of entries) {
        if (UPLOAD.test(path) && !isFolder && age > ABANDONED_MS) this.#abandoned.add(path);
        if (isTemporary(path)) continue;
        if (isFolder) open.push(path);
        else files.push({ path, bytes });
      }
    }
    return files;
  }

  /** Removes what killed writers had uploaded of files in the folders that were listed. */
  async sweep(): Promise<void> {
    for (const path of this.#abandoned) await this.#remove(path);
    this.#abandoned.clear();
  }

  async #entries(folder: string, signal?: AbortSignal): Promise<DavEntry[] | null> {
    const what = `PROPFIND ${this.title}/${folder}`;
    const headers = { ...this.authorization, depth: '1', 'content-type': 'application/xml; charset=utf-8' };
    const url = this.url(`${folder}/`);
    const answer = await this.client.send(
      { method: 'PROPFIND', url, headers, body: PROPERTIES, what },
      signal,
    );
    if (answer.status !== 207) await drop(answer);
    if (answer.status === 404) return [];
    // WebDAV without PROPFIND (nginx without its extension): the index that pushers write has to do
    if ([400, 405, 501].includes(answer.status)) return null;
    if (answer.status !== 207) throw this.failed(answer, what);
    const xml = parseXml(await this.client.text(answer, what, signal), what);
    // by one clock: the server's
    const now = Date.parse(answer.headers['date'] ?? '');
    const responses = (at(xml, 'multistatus', 'response') ?? []) as unknown[];
    return responses.flatMap((response) => {
      const path = this.#inside(textAt(response, 'href'));
      if (path === null || path === folder) return [];
      const stats = (at(response, 'propstat') ?? []) as unknown[];
      const isFolder = stats.some((stat) => at(stat, 'prop', 'resourcetype', 'collection') !== undefined);
      const property = (name: string): string =>
        stats.map((stat) => textAt(stat, 'prop', name)).find((text) => text !== '') ?? '';
      const age = now - Date.parse(property('getlastmodified'));
      return [
        { path, bytes: Number(property('getcontentlength')), isFolder, age: Number.isNaN(age) ? 0 : age },
      ];
    });
  }

  /** The path of a response, relative to the remote; null for what lies elsewhere. */
  #inside(href: string): string | null {
    let path: string;
    try {
      path = decodeURIComponent(new URL(href, this.base).pathname);
    } catch {
      return null;
    }
    const base = decodeURIComponent(this.base.pathname);
    return path.startsWith(base) ? path.slice(base.length).replace(/\/+$/, '') : null;
  }

  async write(file: Outgoing, signal?: AbortSignal): Promise<void> {
    const { path, bytes } = file;
    await this.#makeFolder(path.slice(0, path.lastIndexOf('/')), signal);
    const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
    try {
      const what = `PUT ${this.title}/${path}`;
      const headers = {
        ...this.authorization,
        'content-length': String(bytes),
        'content-type': 'application/octet-stream',
      };
      const put = await this.client.send(
        { method: 'PUT', url: this.url(temporary), headers, body: piecesOf(file), what },
        signal,
      );
      await drop(put);
      if (put.status < 200 || put.status > 299) throw this.failed(put, what);
      const there = await this.size(temporary, signal);
      if (there !== bytes)
        throw new TransferFailure(
          'broken',
          `${what}: ${bytes} bytes were sent, and ${there ?? 'nothing'} arrived`,
        );
      await this.#move(temporary, path, signal);
    } catch (error) {
      await this.#remove(temporary);
      throw error;
    }
  }

  async #move(from: string, to: string, signal?: AbortSignal): Promise<void> {
    const what = `MOVE ${this.title}/${to}`;
    const headers = { ...this.authorization, destination: this.url(to).href, overwrite: 'T' };
    const answer = await this.client.send({ method: 'MOVE', url: this.url(from), headers, what }, signal);
    await drop(answer);
    if (answer.status < 200 || answer.status > 299) throw this.failed(answer, what);
  }

  async #remove(path: string): Promise<void> {
    const asked = {
      method: 'DELETE',
      url: this.url(path),
      headers: this.authorization,
      what: `DELETE ${this.title}/${path}`,
    } as const;
    try {
      await drop(await this.client.send(asked, AbortSignal.timeout(CLEAN_UP_MS)));
    } catch {
      // a temporary file stays behind: nobody reads it
    }
  }

  /** Makes a folder and those above it, each asked for once. */
  #makeFolder(folder: string, signal?: AbortSignal): Promise<void> {
    const known = this.#folders.get(folder);
    if (known !== undefined) return known;
    const making = this.#makeMissing(folder, signal);
    this.#folders.set(folder, making);
    making.catch(() => this.#folders.delete(folder));
    return making;
  }

  async #makeMissing(folder: string, signal?: AbortSignal): Promise<void> {
    const status = await this.#makeOne(this.url(`${folder}/`), folder, signal);
    if (status !== 409) return;
    const above = folder.lastIndexOf('/');
    if (above > 0) await this.#makeFolder(folder.slice(0, above), signal);
    else await this.#makeBase(this.base, signal);
    if ((await this.#makeOne(this.url(`${folder}/`), folder, signal)) === 409)
      throw new UserError(`MKCOL ${this.title}/${folder}: the server does not make this folder (409)`);
  }

  /** The remote's own folder, where it is not there yet. */
  async #makeBase(url: URL, signal?: AbortSignal): Promise<void> {
    if (url.pathname === '/') return;
    if ((await this.#makeOne(url, '', signal)) !== 409) return;
    await this.#makeBase(new URL('..', url), signal);
    await this.#makeOne(url, '', signal);
  }

  /** @returns 409 where a folder above is missing; anything else means that it is there now. */
  async #makeOne(url: URL, folder: string, signal?: AbortSignal): Promise<number> {
    const what = `MKCOL ${this.title}/${folder}`;
    const answer = await this.client.send(
      { method: 'MKCOL', url, headers: this.authorization, what },
      signal,
    );
    await drop(answer);
    const { status } = answer;
    // 405, and 301 of some servers: it is there
    if (status === 201 || status === 200 || status === 405 || status === 301 || status === 409) return status;
    throw this.failed(answer, what);
  }
}
