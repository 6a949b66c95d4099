import { existsSync, symlinkSync, copyFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { HubApiError, downloadFile, listFiles, modelInfo } from '@huggingface/hub';
import { type Reporter, UserError, makeFolder, writeFileAtomic } from '@lsgmer/datasets';
import { neededFiles } from '../models/model-files.ts';
import { download, reasonOf } from './download.ts';
import { COMMIT, cachedCommit, cachedFiles, repositoryFolder, snapshotFolder } from './hub-cache.ts';

/** Where the hub is, and what may be asked of it. */
export interface HubAccess {
  /** HF_HUB_CACHE, or HF_HOME/hub. */
  readonly cache: string;
  /** HF_ENDPOINT. */
  readonly endpoint: string;
  /** HF_TOKEN. */
  readonly token?: string;
  /** No network call is made. */
  readonly offline: boolean;
}

export interface HubModel {
  readonly name: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
}

/**
 * The folder of a model's files at a revision: what the cache holds is taken as it is, without a network call; what
 * it lacks is fetched into it.
 * @returns folder and commit
 * @throws UserError that says what is missing, from where it comes and where it goes
 */
export async function fetchHubModel(
  { name, revision }: HubModel,
  access: HubAccess,
  reporter: Reporter,
  signal?: AbortSignal,
): Promise<{ folder: string; commit: string }> {
  const { cache, offline } = access;
  const known = cachedCommit(cache, name, revision);
  if (known !== undefined && isWhole(cachedFiles(cache, name, known)))
    return { folder: snapshotFolder(cache, name, known), commit: known };
  const from = `${access.endpoint}/${name}${revision === 'main' ? '' : ` at ${revision}`}`;
  if (offline) {
    throw new UserError(
      `${name}@${revision} is not in ${repositoryFolder(cache, name)}, and --offline allows no network call: ` +
        `fetch config.json, the weights and the tokenizer or preprocessor configuration from ${from}, or give the ` +
        'folder that holds them',
    );
  }
  const hub = hubOf(access, signal);
  try {
    const { sha: commit } = await modelInfo({ ...hub, name, revision, additionalFields: ['sha'] });
    if (!COMMIT.test(commit)) throw new Error(`the hub names no commit but "${commit}"`);
    await fetchFiles(name, commit, access, hub, reporter, signal);
    if (revision !== commit) writeFileAtomic(join(repositoryFolder(cache, name), 'refs', revision), commit);
    return { folder: snapshotFolder(cache, name, commit), commit };
  } catch (error) {
    if (error instanceof UserError || signal?.aborted === true) throw error;
    throw refusal(error, name, revision, from, repositoryFolder(cache, name));
  }
}

type Hub = ReturnType<typeof hubOf>;

function hubOf({ endpoint, token }: HubAccess, signal: AbortSignal | undefined) {
  return {
    hubUrl: endpoint,
    ...(token === undefined ? {} : { accessToken: token }),
    fetch: ((input, init) =>
      fetch(input, { ...init, ...(signal === undefined ? {} : { signal }) })) as typeof fetch,
  };
}

async function fetchFiles(
  name: string,
  commit: string,
  { cache }: HubAccess,
  hub: Hub,
  reporter: Reporter,
  signal: AbortSignal | undefined,
): Promise<void> {
  const files = new Map<string, { size: number; oid?: string; lfs?: { oid: string; size: number } }>();
  for await (const file of listFiles({ ...hub, repo: name, revision: commit }))
    if (file.type === 'file') files.set(file.path, file);
  const needed = neededFiles(new Set(files.keys()), `${name}@${commit.slice(0, 8)}`);
  const there = cachedFiles(cache, name, commit);
  const missing = needed.filter((path) => !there.has(path));
  const bytes = missing.reduce((sum, path) => sum + (files.get(path)?.size ?? 0), 0);
  if (missing.length > 0) {
    reporter.info(
      `fetching ${name} (${missing.join(', ')}; ${Math.ceil(bytes / 1e6)} MB) from ${hub.hubUrl} to ${repositoryFolder(cache, name)}`,
    );
  }
  for (const path of missing) {
    const { size, oid, lfs } = files.get(path) ?? { size: 0 };
    const etag = lfs?.oid ?? oid;
    if (etag === undefined || !/^[0-9a-f]{40,64}$/.test(etag)) throw new Error(`${path} has no digest`);
    const blob = join(repositoryFolder(cache, name), 'blobs', etag);
    if (!existsSync(blob)) {
      await download({
        target: blob,
        from: `${name}/${path}`,
        expected: { size, ...(lfs === undefined ? { gitSha1: etag } : { sha256: etag }) },
        open: (at) => openFile(name, path, commit, hub, at),
        reporter,
        ...(signal === undefined ? {} : { signal }),
      });
    }
    link(blob, snapshotFolder(cache, name, commit), path);
  }
}

async function openFile(
  name: string,
  path: string,
  revision: string,
  hub: Hub,
  at: number,
): Promise<AsyncIterable<Uint8Array>> {
  // Ranges of a plain file can be taken up again; the hub serves all files so.
  const blob = await downloadFile({ ...hub, repo: name, path, revision, xet: false });
  if (blob === null) throw new Error(`${path} is not there any more`);
  return (at === 0 ? blob : blob.slice(at)).stream();
}

/** As huggingface_hub does: a relative link, or a copy where there are none. */
function link(blob: string, snapshot: string, path: string): void {
  makeFolder(snapshot);
  const pointer = join(snapshot, path);
  if (existsSync(pointer)) return;
  try {
    symlinkSync(relative(snapshot, blob), pointer);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    copyFileSync(blob, pointer);
  }
}

/** Whether a snapshot has all that a model needs. */
function isWhole(names: ReadonlySet<string>): boolean {
  if (names.size === 0) return false;
  let needed: string[];
  try {
    needed = neededFiles(names, '');
  } catch {
    return false;
  }
  // Parts are told by the number in their names, the tokenizer and the preprocessor by the kind of the model:
  // where one is lacking, reading the folder says so.
  const parts = needed.filter((name) => /-of-\d{5}\./.test(name));
  const of = Number(/-of-(\d{5})\./.exec(parts[0] ?? '')?.[1] ?? 0);
  const beside = ['preprocessor_config.json', 'tokenizer.json', 'merges.txt', 'vocab.txt'].some((name) =>
    names.has(name),
  );
  return parts.length === of && beside && !needed.some((name) => name.endsWith('.index.json') && of === 0);
}

function refusal(error: unknown, name: string, revision: string, from: string, folder: string): UserError {
  const status = error instanceof HubApiError ? error.statusCode : 0;
  if (status === 401) {
    return new UserError(
      `${from}: the hub wants to know who asks (401): ${name} is gated, private, or does not exist; check the name, or set ` +
        'HF_TOKEN to a token of an account that may read it',
    );
  }
  if (status === 403) {
    return new UserError(
      `${from}: access to ${name} is not granted to this HF_TOKEN (403): ask for it on its page`,
    );
  }
  if (status === 404) {
    return new UserError(`${from} is not there (404): check the name ${name} and the revision ${revision}`);
  }
  return new UserError(
    `${from} cannot be fetched (${reasonOf(error)}): its files belong into ${folder}; where another machine has them, ` +
      'copy its cache or give the folder',
  );
}
