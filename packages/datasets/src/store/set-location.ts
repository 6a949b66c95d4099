import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../base/errors.ts';
import {
  checkName,
  type FeatureSetName,
  FINGERPRINT_PATTERN,
  foundFolder,
  indexFolder,
  isReserved,
  shardFolder,
  specPath,
} from './layout.ts';

/**
 * One feature set in one store, whether or not it can be read. Its `feature` and `fingerprint` are the names of its folders: no
 * feature's name or no fingerprint where these were made by hand, as `wavlm (copy)` or `<fingerprint>.bak`.
 */
export interface SetLocation extends FeatureSetName {
  readonly store: string;
  readonly folder: string;
}

/**
 * Every feature set of a dataset in every store, by folder names alone: damaged ones are there too.
 * @param choice `name` or `name@<first digits of the fingerprint>`; all features where it is left out.
 * @throws UserError when the choice names nothing that is there.
 */
export function locateSets(stores: readonly string[], dataset: string, choice?: string): SetLocation[] {
  checkName('dataset', dataset);
  const [name, prefix = ''] = (choice ?? '').split('@', 2);
  const found = stores.flatMap((store) =>
    foldersIn(join(store, dataset))
      .filter((feature) => (choice === undefined ? !feature.startsWith('.') : feature === name))
      .flatMap((feature) =>
        foldersIn(join(store, dataset, feature))
          .filter((one) => isSetFolder(store, dataset, feature, one) && one.startsWith(prefix))
          .map((fingerprint) => ({ dataset, feature, fingerprint, store })),
      ),
  );
  if (found.length === 0 && choice !== undefined) {
    const there = [...new Set(locateSets(stores, dataset).map(setTitle))];
    const known =
      there.length === 0 ? 'it has none' : `there ${there.length === 1 ? 'is' : 'are'} ${there.join(', ')}`;
    throw new UserError(`${dataset} has no feature ${choice} in ${stores.join(', ')}: ${known}`);
  }
  return found
    .map((set) => ({ ...set, folder: join(foundFolder(set.store, dataset, set.feature), set.fingerprint) }))
    .sort((a, b) => compare(a.feature, b.feature) || compare(a.fingerprint, b.fingerprint));
}

/** True for the folder of a set by its name, and for one under another name that has a set's files. */
export function isSetFolder(store: string, dataset: string, feature: string, name: string): boolean {
  if (FINGERPRINT_PATTERN.test(name)) return true;
  if (name.startsWith('.') || isReserved(feature)) return false;
  const folder = join(store, dataset, feature, name);
  return existsSync(specPath(folder)) || holdsContent(folder);
}

/** True for a set's folder with shards or index parts; one without is that of a writer stopped at its very start. */
export function holdsContent(folder: string): boolean {
  return (
    namesIn(shardFolder(folder)).some((name) => /^sha256-.*\.arrow$/.test(name)) ||
    namesIn(indexFolder(folder)).some((name) => /^[^.].*\.json$/.test(name))
  );
}

const namesIn = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);

/** `wavlm-large@a1b2c3d4e5f6`, for people. */
export function setTitle({ feature, fingerprint }: FeatureSetName): string {
  return `${feature}@${shortFingerprint(fingerprint)}`;
}

/** The first digits; of a folder under another name all of it. */
export function shortFingerprint(name: string): string {
  return FINGERPRINT_PATTERN.test(name) ? name.slice(0, 12) : name;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function foldersIn(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map((entry) => entry.name);
}
