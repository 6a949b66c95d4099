import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { sha256Hex } from '../base/canonical-json.ts';
import { TransferFailure } from './failure.ts';
import { type Answer, type Asked, drop } from './http.ts';
import { damagedHere, goneHere } from './outgoing.ts';
import type { Outgoing } from './remote.ts';
import { at, parseXml, textAt } from './xml.ts';

/** Bytes of a part. Amazon takes 5 MiB and more (the last one aside), and 10,000 parts a file: a shard has 64 at most. */
export const PART_BYTES = 32 * 2 ** 20;

/** Answers of a server that does not know uploads in parts. */
const UNKNOWN = [400, 404, 405, 501];
/** The key of a shard below a remote's prefix: nothing else is sent in parts. */
const SHARD = /^[^/]+\/[^/]+\/[0-9a-f]{64}\/shards\/sha256-[0-9a-f]{64}\.arrow$/;
/** An upload that was begun so long ago, and not ended, has no writer any more. */
const ABANDONED_MS = 86_400_000;

/** Signed requests of one bucket. */
export interface S3Requests {
  url(path: string): URL;
  bucketUrl(): URL;
  /** Path relative to the remote as a key of the bucket. */
  key(path: string): string;
  send(asked: Asked, sha256: string, signal?: AbortSignal): Promise<Answer>;
  text(answer: Answer, what: string, signal?: AbortSignal): Promise<string>;
  failed(answer: Answer, what: string, signal?: AbortSignal): Promise<Error>;
}

interface Part {
  /** MD5 of the content, where the server does not encrypt with keys of its own. */
  readonly etag: string;
  readonly bytes: number;
}

/**
 * Sends files in parts, so that one that broke goes on with what the server lacks: in the next try, or the next command.
 * Parts that are there count where their MD5 and size are those of the bytes here; a file appears when all are named
 * in one last request, which is only made once the sha256 of the whole is right.
 */
export class S3Parts {
  readonly #s3: S3Requests;
  readonly #title: string;
  readonly #partBytes: number;

  constructor(s3: S3Requests, title: string, partBytes: number) {
    this.#s3 = s3;
    this.#title = title;
    this.#partBytes = partBytes;
  }

  takes({ path, bytes, source }: Outgoing): boolean {
    return 'file' in source && SHARD.test(path) && bytes > 2 * this.#partBytes;
  }

  /** @returns false where the server does not know uploads in parts, and nothing was sent. */
  async write(file: Outgoing, there: () => Promise<number | null>, signal?: AbortSignal): Promise<boolean> {
    const [newest] = await this.#uploads(file.path, signal);
    // an upload whose last answer was lost is whole
    if (newest === undefined && (await there()) === file.bytes) return true;
    const upload = newest?.id ?? (await this.#begin(file.path, signal));
    if (upload === null) return false;
    const parts =
      newest === undefined ? new Map<number, Part>() : await this.#parts(file.path, upload, signal);
    const whole = createHash('sha256');
    const etags: string[] = [];
    for await (const bytes of this.#pieces(file)) {
      whole.update(bytes);
      const number = etags.length + 1;
      const known = parts.get(number);
      if (known !== undefined && isThere(known, bytes)) {
        etags.push(known.etag);
        file.onBytes?.(bytes.length);
      } else etags.push(await this.#put(file, upload, number, bytes, signal));
    }
    const found = whole.digest('hex');
    if (found !== file.sha256) {
      await this.#abort(file.path, upload);
      throw damagedHere(file, found);
    }
    await this.#complete(file, upload, etags, there, signal);
    return true;
  }

  /** Ends what killed pushes began a day ago in these folders: its parts are paid for, and nobody sees them. */
  async sweep(folders: Iterable<string>): Promise<void> {
    for (const folder of folders) {
      const begun = await this.#uploads(`${folder}/`).catch(whenUp);
      for (const { path, id, age } of begun)
        if (age > ABANDONED_MS && SHARD.test(path)) await this.#abort(path, id);
    }
  }

  /** Uploads that were begun, and not ended, of keys that begin so; the newest first. None where the server does not say. */
  async #uploads(start: string, signal?: AbortSignal): Promise<{ path: string; id: string; age: number }[]> {
    const what = `LIST uploads ${this.#title}/${start}`;
    const url = this.#s3.bucketUrl();
    url.searchParams.set('uploads', '');
    url.searchParams.set('prefix', this.#s3.key(start));
    const answer = await this.#s3.send({ method: 'GET', url, what }, sha256Hex(''), signal);
    if (answer.status !== 200) {
      await drop(answer);
      return [];
    }
    const now = Date.parse(answer.headers['date'] ?? '');
    const listed = parseXml(await this.#s3.text(answer, what, signal), what)['ListMultipartUploadsResult'];
    const prefix = this.#s3.key('');
    return ((at(listed, 'Upload') ?? []) as unknown[])
      .map((upload) => ({
        path: textAt(upload, 'Key').slice(prefix.length),
        id: textAt(upload, 'UploadId'),
        age: now - Date.parse(textAt(upload, 'Initiated')) || 0,
      }))
      .filter(({ path, id }) => id !== '' && (start.endsWith('/') || path === start))
      .sort((a, b) => a.age - b.age);
  }

  async #begin(path: string, signal?: AbortSignal): Promise<string | null> {
    const what = `POST ${this.#title}/${path}`;
    const url = this.#s3.url(path);
    url.searchParams.set('uploads', '');
    const headers = { 'content-type': 'application/octet-stream' };
    const answer = await this.#s3.send(
      { method: 'POST', url, headers, body: '', what },
      sha256Hex(''),
      signal,
    );
    if (UNKNOWN.includes(answer.status)) {
      await drop(answer);
      return null;
    }
    if (answer.status !== 200) throw await this.#s3.failed(answer, what, signal);
    const begun = parseXml(await this.#s3.text(answer, what, signal), what);
    const id = textAt(begun, 'InitiateMultipartUploadResult', 'UploadId');
    if (id === '') throw new TransferFailure('broken', `${what}: the answer names no upload`);
    return id;
  }

  #of(path: string, upload: string, number?: number): URL {
    const url = this.#s3.url(path);
    if (number !== undefined) url.searchParams.set('partNumber', String(number));
    url.searchParams.set('uploadId', upload);
    return url;
  }

  async #parts(path: string, upload: string, signal?: AbortSignal): Promise<Map<number, Part>> {
    const what = `LIST parts ${this.#title}/${path}`;
    const answer = await this.#s3.send(
      { method: 'GET', url: this.#of(path, upload), what },
      sha256Hex(''),
      signal,
    );
    if (answer.status === 404) throw ended(what);
    if (answer.status !== 200) {
      // parts may not be asked for: all go over again
      await drop(answer);
      return new Map();
    }
    const listed = parseXml(await this.#s3.text(answer, what, signal), what)['ListPartsResult'];
    return new Map(
      ((at(listed, 'Part') ?? []) as unknown[]).map((part) => [
        Number(textAt(part, 'PartNumber')),
        { etag: bare(textAt(part, 'ETag')), bytes: Number(textAt(part, 'Size')) },
      ]),
    );
  }

  /** The file, cut into parts; one is held at a time. */
  async *#pieces({ source }: Outgoing): AsyncGenerator<Buffer> {
    const path = (source as { readonly file: string }).file;
    let held: Buffer[] = [];
    let bytes = 0;
    try {
      // streams cut at their own marks: a part is made of whole ones
      for await (const piece of createReadStream(path, { highWaterMark: this.#partBytes })) {
        held.push(piece as Buffer);
        bytes += (piece as Buffer).length;
        if (bytes < this.#partBytes) continue;
        const all = Buffer.concat(held);
        yield all.subarray(0, this.#partBytes);
        held = all.length > this.#partBytes ? [all.subarray(this.#partBytes)] : [];
        bytes = all.length - this.#partBytes;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw goneHere(path);
    }
    if (bytes > 0) yield Buffer.concat(held);
  }

  /** @returns the part's ETag. */
  async #put(
    file: Outgoing,
    upload: string,
    number: number,
    bytes: Buffer,
    signal?: AbortSignal,
  ): Promise<string> {
    const what = `PUT ${this.#title}/${file.path}, part ${number}`;
    const headers = { 'content-length': String(bytes.length) };
    const asked = { method: 'PUT', url: this.#of(file.path, upload, number), headers, what } as const;
    const answer = await this.#s3.send(
      { ...asked, body: told(bytes, file.onBytes) },
      sha256Hex(bytes),
      signal,
    );
    if (answer.status === 404) throw ended(what);
    if (answer.status !== 200) throw await this.#s3.failed(answer, what, signal);
    await drop(answer);
    const etag = answer.headers['etag'];
    if (etag === undefined) throw new TransferFailure('broken', `${what}: the answer has no ETag`);
    return bare(etag);
  }

  async #complete(
    file: Outgoing,
    upload: string,
    etags: readonly string[],
    there: () => Promise<number | null>,
    signal?: AbortSignal,
  ): Promise<void> {
    const what = `POST ${this.#title}/${file.path}`;
    const parts = etags.map(
      (etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>"${etag}"</ETag></Part>`,
    );
    const body = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;
    const headers = { 'content-type': 'application/xml', 'content-length': String(Buffer.byteLength(body)) };
    const asked = { method: 'POST', url: this.#of(file.path, upload), headers, body, what } as const;
    const answer = await this.#s3.send(asked, sha256Hex(body), signal);
    // 404: another pusher of the same content ended this upload; what is there decides
    if (answer.status === 200) {
      // Amazon may answer 200 at once, and say what went wrong behind it
      const said = parseXml(await this.#s3.text(answer, what, signal), what);
      if (said['Error'] !== undefined)
        throw new TransferFailure('broken', `${what}: the server answered ${textAt(said, 'Error', 'Code')}`);
    } else if (answer.status === 404) await drop(answer);
    else throw await this.#s3.failed(answer, what, signal);
    const bytes = await there();
    if (bytes !== file.bytes)
      throw new TransferFailure(
        'broken',
        `${what}: ${file.bytes} bytes were sent, and ${bytes ?? 'nothing'} arrived`,
      );
  }

  async #abort(path: string, upload: string): Promise<void> {
    const what = `DELETE ${this.#title}/${path}`;
    try {
      await drop(await this.#s3.send({ method: 'DELETE', url: this.#of(path, upload), what }, sha256Hex('')));
    } catch (error) {
      whenUp(error);
    }
  }
}

/** Another push may do what this one could not. */
function whenUp(error: unknown): [] {
  if (error instanceof TransferFailure) return [];
  throw error;
}

const isThere = ({ etag, bytes }: Part, part: Buffer): boolean =>
  bytes === part.length && etag === createHash('md5').update(part).digest('hex');

const bare = (etag: string): string => etag.replaceAll('"', '');

/** The next try begins anew. */
const ended = (what: string): TransferFailure =>
  new TransferFailure('broken', `${what}: the upload that it is part of was ended`);

async function* told(bytes: Buffer, onBytes: Outgoing['onBytes']): AsyncGenerator<Uint8Array> {
  const step = 1 << 20;
  for (let from = 0; from < bytes.length; from += step) {
    const piece = bytes.subarray(from, from + step);
    yield piece;
    onBytes?.(piece.length);
  }
}
