import { AwsV4Signer } from 'aws4fetch';
import { UserError } from '../base/errors.ts';
import type { S3Settings } from './aws-settings.ts';
import { statusError } from './failure.ts';
import { type Answer, type Asked, drop, type HttpClient, rangeFrom, received } from './http.ts';
import { piecesOf } from './outgoing.ts';
import { isTemporary, type Outgoing, type Received, type Remote, type RemoteFile } from './remote.ts';
import { PART_BYTES, S3Parts, type S3Requests } from './s3-parts.ts';
import { at, parseXml, textAt } from './xml.ts';

/** sha256 of nothing. */
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const noKeys = ({ looked }: S3Settings): string => `no keys were found (looked for ${looked})`;

/**
 * S3-compatible storage. A file shows whole or not at all; the sha256 of what each PUT brings is signed with it, so that the
 * server refuses other bytes. Shards of some size go in parts (s3-parts.ts).
 */
export class S3Remote implements Remote {
  readonly title: string;
  /** Unsigned requests read public buckets; none is written to so. */
  readonly writable: boolean;
  readonly refusal: string;
  readonly #prefix: string;
  readonly #settings: S3Settings;
  readonly #client: HttpClient;
  readonly #parts: S3Parts;
  readonly #listed = new Set<string>();
  #region: string;
  #bucket: URL;

  constructor(
    title: string,
    prefix: string,
    settings: S3Settings,
    client: HttpClient,
    partBytes: number = PART_BYTES,
  ) {
    this.title = title;
    this.writable = settings.credentials !== null;
    this.refusal = `${title}: ${noKeys(settings)}: a push takes keys (without any, public buckets can be pulled from)`;
    this.#prefix = prefix;
    this.#settings = settings;
    this.#region = settings.region;
    this.#bucket = settings.bucket;
    this.#client = client;
    const requests: S3Requests = {
      url: (path) => this.#url(path),
      bucketUrl: () => new URL(this.#bucket),
      key: (path) => this.#key(path),
      send: (asked, sha256, signal) => this.#send(asked, sha256, signal),
      text: (answer, what, signal) => client.text(answer, what, signal),
      failed: (answer, what, signal) => this.#failed(answer, what, signal),
    };
    this.#parts = new S3Parts(requests, title, partBytes);
  }

  /** Of nothing: what all keys below the prefix begin with. */
  #key(path: string): string {
    return this.#prefix === '' ? path : `${this.#prefix}/${path}`;
  }

  #url(path: string): URL {
    return new URL(this.#key(path).split('/').map(encodeURIComponent).join('/'), this.#bucket);
  }

  async #send(asked: Asked, sha256: string, signal?: AbortSignal): Promise<Answer> {
    const region = this.#region;
    const answer = await this.#client.send({ ...asked, headers: await this.#signed(asked, sha256) }, signal);
    // Amazon says which region a bucket is in
    const right = answer.headers['x-amz-bucket-region'];
    if (answer.status < 300 || answer.status === 404 || right === undefined || right === region)
      return answer;
    if (asked.body !== undefined && typeof asked.body !== 'string') return answer;
    await drop(answer);
    this.#region = right;
    const elsewhere = (url: URL): URL =>
      new URL(url.href.replace(`s3.${region}.amazonaws.`, `s3.${right}.amazonaws.`));
    this.#bucket = elsewhere(this.#bucket);
    const again = { ...asked, url: elsewhere(asked.url) };
    return this.#client.send({ ...again, headers: await this.#signed(again, sha256) }, signal);
  }

  async #signed({ method, url, headers }: Asked, sha256: string): Promise<{ [name: string]: string }> {
    const { credentials } = this.#settings;
    const plain = { ...headers, 'x-amz-content-sha256': sha256 };
    if (credentials === null) return plain;
    const signer = new AwsV4Signer({
      method,
      url: url.href,
      headers: plain,
      ...credentials,
      service: 's3',
      region: this.#region,
    });
    const signed = await signer.sign();
    return Object.fromEntries([...signed.headers].filter(([name]) => name !== 'host'));
  }

  /** The error that an answer means, with the server's code and words (nothing else of its body: it quotes keys). */
  async #failed(answer: Answer, what: string, signal?: AbortSignal): Promise<Error> {
    let said = '';
    try {
      const text = await this.#client.text(answer, what, signal);
      const error = parseXml(text, what)['Error'];
      const words = [textAt(error, 'Code'), textAt(error, 'Message')].filter((one) => one !== '').join(': ');
      said = words.slice(0, 200);
    } catch {
      // an answer without words
    }
    const hint =
      this.#settings.credentials === null
        ? noKeys(this.#settings)
        : 'check the S3 keys, the region and the rights on the bucket';
    return statusError(answer.status, what, said, answer.headers['retry-after'], hint);
  }

  async list(folder: string, signal?: AbortSignal): Promise<RemoteFile[]> {
    const files: RemoteFile[] = [];
    this.#listed.add(folder);
    const start = this.#key('');
    const what = `LIST ${this.title}/${folder}`;
    for (let token = ''; ;) {
      const url = new URL(this.#bucket);
      url.searchParams.set('list-type', '2');
      url.searchParams.set('prefix', folder === '' ? start : `${start}${folder}/`);
      if (token !== '') url.searchParams.set('continuation-token', token);
      const answer = await this.#send({ method: 'GET', url, what }, EMPTY, signal);
      if (answer.status === 404) {
        await drop(answer);
        throw new UserError(`${what}: there is no such bucket: make it first`);
      }
      if (answer.status !== 200) throw await this.#failed(answer, what, signal);
      const result = parseXml(await this.#client.text(answer, what, signal), what)['ListBucketResult'];
      for (const entry of (at(result, 'Contents') ?? []) as unknown[]) {
        const path = textAt(entry, 'Key').slice(start.length);
        if (!isTemporary(path)) files.push({ path, bytes: Number(textAt(entry, 'Size')) });
      }
      token = textAt(result, 'NextContinuationToken');
      if (textAt(result, 'IsTruncated') !== 'true' || token === '') return files;
    }
  }

  async size(path: string, signal?: AbortSignal): Promise<number | null> {
    const what = `HEAD ${this.title}/${path}`;
    const answer = await this.#send({ method: 'HEAD', url: this.#url(path), what }, EMPTY, signal);
    if (answer.status === 404) return null;
    if (answer.status !== 200) throw await this.#failed(answer, what, signal);
    await drop(answer);
    return Number(answer.headers['content-length']);
  }

  async read(path: string, from: number, signal?: AbortSignal): Promise<Received | null> {
    const what = `GET ${this.title}/${path}`;
    const headers = rangeFrom(from);
    const answer = await this.#send({ method: 'GET', url: this.#url(path), headers, what }, EMPTY, signal);
    if (answer.status === 200 || answer.status === 206) return received(answer, from, what);
    if (answer.status === 404) {
      await drop(answer);
      return null;
    }
    if (answer.status === 416 && from > 0) {
      await drop(answer);
      return this.read(path, 0, signal);
    }
    throw await this.#failed(answer, what, signal);
  }

  async write(file: Outgoing, signal?: AbortSignal): Promise<void> {
    const there = (): Promise<number | null> => this.size(file.path, signal);
    if (this.#parts.takes(file) && (await this.#parts.write(file, there, signal))) return;
    const what = `PUT ${this.title}/${file.path}`;
    const headers = { 'content-length': String(file.bytes), 'content-type': 'application/octet-stream' };
    const asked = { method: 'PUT', url: this.#url(file.path), headers, body: piecesOf(file), what } as const;
    const answer = await this.#send(asked, file.sha256, signal);
    if (answer.status !== 200 && answer.status !== 201) throw await this.#failed(answer, what, signal);
    await drop(answer);
  }

  /** Ends uploads in parts that killed pushes left in the folders that were listed. */
  async sweep(): Promise<void> {
    await this.#parts.sweep([...this.#listed].filter((folder) => folder !== ''));
    this.#listed.clear();
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}
