import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError, writeFileAtomic } from '@lsgmer/datasets';
import { z } from 'zod';

/** `.lsgmer.json` in the working folder, git-ignored: what a user need not say twice. */
const LocalFile = z.strictObject({
  /** Stores, separated by `:`. */
  store: z.string().optional(),
  runs: z.string().optional(),
  lastDataset: z.string().optional(),
  /** Corpus root by dataset. */
  roots: z.record(z.string(), z.string()).default({}),
});
export type LocalFile = z.infer<typeof LocalFile>;

export const LOCAL_FILE = '.lsgmer.json';

/** @throws UserError where the file is no JSON or has unknown keys. */
export function readLocalFile(folder: string): LocalFile {
  const path = join(folder, LOCAL_FILE);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { roots: {} };
    throw new UserError(`${path} cannot be read (${(error as Error).message}): mend its rights or remove it`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path} is not JSON (${(error as Error).message}): mend or remove it`);
  }
  const parsed = LocalFile.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new UserError(
      `${path}: ${issue?.path.join('.') || 'top level'}: ${issue?.message}; mend or remove it`,
    );
  }
  return parsed.data;
}

/** Merges into what the file holds now, so that two commands at once keep each other's roots. */
export function rememberLocally(
  folder: string,
  change: { lastDataset?: string; root?: { dataset: string; path: string } },
): void {
  const now = readLocalFile(folder);
  const next: LocalFile = {
    ...now,
    ...(change.lastDataset === undefined ? {} : { lastDataset: change.lastDataset }),
    roots: change.root === undefined ? now.roots : { ...now.roots, [change.root.dataset]: change.root.path },
  };
  if (JSON.stringify(next) === JSON.stringify(now)) return;
  try {
    writeFileAtomic(join(folder, LOCAL_FILE), `${JSON.stringify(next, null, 2)}\n`);
  } catch {
    // a read-only working folder only costs the convenience
  }
}

/** Stores in reading order: `--store`, LSGMER_STORE, the local file, `./store`. */
export function storeList(
  given: string | undefined,
  environment: NodeJS.ProcessEnv,
  local: LocalFile,
): string[] {
  const text = given ?? environment['LSGMER_STORE'] ?? local.store ?? './store';
  const stores = text.split(':').filter((s) => s !== '');
  if (stores.length === 0) throw new UserError(`store list '${text}' is empty: give at least one folder`);
  for (const store of stores) checkFolder('store', store);
  return stores;
}

/** `--runs`, LSGMER_RUNS, the local file, `./runs`. */
export function runsFolder(
  given: string | undefined,
  environment: NodeJS.ProcessEnv,
  local: LocalFile,
): string {
  const runs = given ?? environment['LSGMER_RUNS'] ?? local.runs ?? './runs';
  checkFolder('runs', runs);
  return runs;
}

/** @throws UserError where something else than a folder has the name; one that is not there yet is made when needed. */
function checkFolder(what: 'store' | 'runs', path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found !== undefined && !found.isDirectory())
    throw new UserError(`--${what} ${path} is a file: expected a folder, or a name that is not taken yet`);
}
