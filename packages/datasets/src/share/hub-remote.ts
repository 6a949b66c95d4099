import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type CommitFile, commitIter, datasetInfo, listFiles } from '@huggingface/hub';
import { fetch as fetchOverPool } from 'undici';
import { Interrupted, UserError } from '../base/errors.ts';
import type { RemoteAddress } from './address.ts';
import { networkError, statusError } from './failure.ts';
import type { HttpClient } from './http.ts';
import { isTemporary, joined, type Outgoing, type Remote, type RemoteFile } from './remote.ts';
import { WebRemote } from './web-remote.ts';

type HubAddress = Extract<RemoteAddress, { kind: 'hub' }>;

export interface HubSettings {
  /** Without a slash at its end. */
  readonly endpoint: string;
  readonly token: string | null;
}

/**
 * HF_ENDPOINT; HF_TOKEN, or the file that `hf auth login` writes (HF_TOKEN_PATH, HF_HOME, ~/.cache/huggingface/token).
 * @throws UserError for a token that is none.
 */
export function readHubSettings(environment: NodeJS.ProcessEnv, home: string): HubSettings {
  const endpoint = (environment['HF_ENDPOINT'] || 'https://huggingface.co').replace(/\/+$/, '');
  const folder =
    environment['HF_HOME'] || join(environment['XDG_CACHE_HOME'] || join(home, '.cache'), 'huggingface');
  const token =
    environment['HF_TOKEN'] ||
    environment['HUGGING_FACE_HUB_TOKEN'] ||
    fileToken(environment['HF_TOKEN_PATH'] || join(folder, 'token'));
  if (token !== null && !token.startsWith('hf_'))
    throw new UserError(
      'the Hugging Face token (HF_TOKEN, or the file of `hf auth login`) does not begin with "hf_"',
    );
  return { endpoint, token };
}

function fileToken(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim() || null;
  } catch {
    return null;
  }
}

/** A dataset repository of the Hugging Face hub. What is pushed is one commit: readers see all of it or nothing. */
export class HubRemote extends WebRemote implements Remote {
  override readonly writable: boolean;
  readonly refusal: string;
  readonly #address: HubAddress;
  readonly #endpoint: string;
  readonly #token: string | null;

  constructor(address: HubAddress, { endpoint, token }: HubSettings, client: HttpClient) {
    const { repo, revision, prefix } = address;
    const base = `${endpoint}/datasets/${repo}/resolve/${encodeURIComponent(revision)}/${prefix === '' ? '' : `${prefix}/`}`;
    super(address.title, new URL(base), token === null ? {} : { authorization: `Bearer ${token}` }, client);
    this.#address = address;
    this.#endpoint = endpoint;
    this.#token = token;
    this.writable = token !== null;
    this.refusal = `${address.title}: a push takes a token: ${this.hint()}`;
  }

  protected override hint(): string {
    return this.#token === null
      ? 'set HF_TOKEN, or log in with `hf auth login`'
      : 'the token (HF_TOKEN or `hf auth login`) has no right to it';
  }

  /** The hub's library, with our connections and our words for what goes wrong. */
  #options(
    what: string,
    signal: AbortSignal | undefined,
  ): { fetch: typeof fetch; hubUrl: string; accessToken?: string } {
    const fetchHere = async (...[input, init]: Parameters<typeof fetchOverPool>): Promise<unknown> => {
      const both = [init?.signal, signal].filter((one): one is AbortSignal => one != null);
      const answer = await fetchOverPool(input, {
        ...init,
        dispatcher: this.client.dispatcher,
        ...(both.length === 0 ? {} : { signal: AbortSignal.any(both) }),
      });
      if (answer.ok) return answer;
      if (answer.status === 404 && answer.headers.get('x-error-code') === 'EntryNotFound') return answer;
      await answer.body?.cancel();
      if (answer.status === 404)
        throw new UserError(
          `${what}: there is no such dataset repository or revision, or it is hidden from you: make it at ${this.#endpoint}/new-dataset, or check HF_TOKEN`,
        );
      throw statusError(answer.status, what, '', answer.headers.get('retry-after') ?? undefined, this.hint());
    };
    return {
      fetch: fetchHere as unknown as typeof fetch,
      hubUrl: this.#endpoint,
      ...(this.#token === null ? {} : { accessToken: this.#token }),
    };
  }

  async isPrivate(signal?: AbortSignal): Promise<boolean> {
    const what = `GET ${this.title}`;
    return guarded(what, signal, async () => {
      const info = await datasetInfo({ name: this.#address.repo, ...this.#options(what, signal) });
      return info.private;
    });
  }

  override async list(folder: string, signal?: AbortSignal): Promise<RemoteFile[]> {
    const what = `LIST ${this.title}/${folder}`;
    const { repo, revision, prefix } = this.#address;
    return guarded(what, signal, async () => {
      const files: RemoteFile[] = [];
      try {
        const entries = listFiles({
          repo: `datasets/${repo}`,
          revision,
          recursive: true,
          path: joined(prefix, folder),
          ...this.#options(what, signal),
        });
        for await (const { type, path, size } of entries) {
          const inside = prefix === '' ? path : path.slice(prefix.length + 1);
          if (type === 'file' && !isTemporary(inside)) files.push({ path: inside, bytes: size });
        }
      } catch (error) {
        if ((error as { statusCode?: number }).statusCode === 404) return [];
        throw error;
      }
      return files;
    });
  }

  async commit(files: readonly Outgoing[], title: string, signal?: AbortSignal): Promise<void> {
    const what = `commit to ${this.title}`;
    const { repo, revision, prefix } = this.#address;
    const byPath = new Map(files.map((file) => [joined(prefix, file.path), file]));
    const operations = [...byPath].map(([path, { source }]): CommitFile => ({
      operation: 'addOrUpdate',
      path,
      content: 'file' in source ? pathToFileURL(source.file) : new Blob([new Uint8Array(source.content)]),
    }));
    await guarded(what, signal, async () => {
      const steps = commitIter({
        repo: `datasets/${repo}`,
        branch: revision,
        title,
        operations,
        ...(signal === undefined ? {} : { abortSignal: signal }),
        ...this.#options(what, signal),
      });
      for await (const step of steps) {
        if (step.event !== 'fileProgress' || step.state !== 'uploading' || step.progress < 1) continue;
        const file = byPath.get(step.path);
        if (file) file.onBytes?.(file.bytes);
      }
    });
  }
}

async function guarded<T>(what: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal?.aborted) throw new Interrupted('stopped');
    throw networkError(error, what);
  }
}
