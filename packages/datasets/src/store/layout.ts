import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../base/errors.ts';

/**
 * Where a feature set lies:
 *
 *     <store>/<dataset>/<feature>/<fingerprint>/feature.json
 *                                               shards/sha256-<hex>.arrow
 *                                               index/<part>.json
 */

const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
/** Folders beside the features of a dataset that are not features. */
const RESERVED = new Set(['manifests', 'models', 'pins', 'trash']);

export const FINGERPRINT_PATTERN = /^[0-9a-f]{64}$/;

/** Address of a feature set inside any store. */
export interface FeatureSetName {
  readonly dataset: string;
  readonly feature: string;
  readonly fingerprint: string;
}

/** @throws UserError when a dataset, feature or part is not a plain file name (a path must never leave its store). */
export function checkName(kind: 'dataset' | 'feature' | 'part', name: string): string {
  if (!NAME.test(name) || (kind === 'feature' && RESERVED.has(name))) {
    const reserved = kind === 'feature' ? `, other than ${[...RESERVED].join(', ')}` : '';
    throw new UserError(
      `"${name}" is no name for a ${kind}: letters, digits, ".", "_" and "-", not starting with "."${reserved}`,
    );
  }
  return name;
}

/** True for a folder beside the features of a dataset that is not one. */
export function isReserved(name: string): boolean {
  return RESERVED.has(name);
}

/** The folder of a feature as it was found beside others: any file name, also one that no feature may have; never a path. */
export function foundFolder(store: string, dataset: string, name: string): string {
  if (name.startsWith('.') || basename(name) !== name) checkName('feature', name);
  return join(store, checkName('dataset', dataset), name);
}

/** True where a feature set's folder may lie, by its feature's name and its own; others are copies, or renamed. */
export function isSetPlace({ feature, fingerprint }: FeatureSetName): boolean {
  return NAME.test(feature) && !RESERVED.has(feature) && FINGERPRINT_PATTERN.test(fingerprint);
}

export function setFolder(store: string, set: FeatureSetName): string {
  if (!FINGERPRINT_PATTERN.test(set.fingerprint)) {
    throw new UserError(`"${set.fingerprint}" is no fingerprint: expected 64 lower-case hex digits`);
  }
  return join(store, checkName('dataset', set.dataset), checkName('feature', set.feature), set.fingerprint);
}

export function specPath(folder: string): string {
  return join(folder, 'feature.json');
}

export function shardFolder(folder: string): string {
  return join(folder, 'shards');
}

export function shardPath(folder: string, sha256: string): string {
  return join(folder, 'shards', `sha256-${sha256}.arrow`);
}

export function indexFolder(folder: string): string {
  return join(folder, 'index');
}

export function indexPath(folder: string, part: string): string {
  return join(folder, 'index', `${checkName('part', part)}.json`);
}

/** Splits LSGMER_STORE or `--store`: folders separated by `:`, made absolute, in reading order, each once. */
export function parseStoreList(text: string): string[] {
  const stores = text.split(':').filter((part) => part !== '');
  return [...new Set(stores.map((store) => resolve(store)))];
}

/**
 * The store that is written to: the first one whose folder (or, where it does not exist yet, its nearest
 * existing ancestor) may be written.
 * @throws UserError that lists the stores when none is writable.
 */
export function firstWritableStore(stores: readonly string[]): string {
  for (const store of stores) if (isWritable(store)) return store;
  throw new UserError(
    stores.length === 0
      ? 'no store was given: pass --store <folder> or set LSGMER_STORE'
      : `none of the stores can be written: ${stores.join(', ')}; add a folder of your own with --store`,
  );
}

/** True where a folder, or the nearest one above it that exists, may be written. */
export function isWritable(store: string): boolean {
  let folder = resolve(store);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return statSync(folder).isDirectory();
  } catch {
    return false;
  }
}
