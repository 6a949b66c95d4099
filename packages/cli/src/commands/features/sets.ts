import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  checkManifests,
  listDatasets,
  locateSets,
  type Manifest,
  misplacedSet,
  readManifest,
  type SetLocation,
  shortFingerprint,
  UserError,
} from '@lsgmer/datasets';
import type { CommonOptions, Context } from '../../context.ts';
import { close } from '../../usage.ts';

/** Options of every command that looks after feature sets. */
export interface SetOptions extends CommonOptions {
  dataset?: string | undefined;
  feature?: string | undefined;
  json: boolean;
}

export const DATASET = { type: 'string', describe: 'name of the dataset' } as const;
export const FEATURE = {
  type: 'string',
  describe: 'one feature, as name or name@<first digits of the fingerprint> (default: all)',
} as const;
export const JSON_OPTION = { type: 'boolean', default: false, describe: 'as JSON on stdout' } as const;
export const DRY_RUN = {
  type: 'boolean',
  default: false,
  describe: 'show what would be done and stop',
} as const;

/** A dataset that has anything in the stores. @throws UserError that names what they have */
export function requireDataset({ stores }: Context, dataset: string): void {
  if (stores.some((store) => existsSync(join(store, dataset)))) return;
  const there = listDatasets(stores);
  const meant = close(dataset, there);
  const known = there.length === 0 ? 'there is none' : `it has ${there.join(', ')}`;
  throw new UserError(
    `no dataset ${dataset} in ${stores.join(', ')}: ${meant === undefined ? known : `did you mean ${meant}?`}`,
  );
}

/** The sets that a command is about, damaged ones included. @throws UserError where there is none. */
export function chosenSets(context: Context, dataset: string, feature: string | undefined): SetLocation[] {
  requireDataset(context, dataset);
  const stores = [...context.stores];
  const sets = locateSets(stores, dataset, feature);
  if (sets.length === 0)
    throw new UserError(`${dataset} has no features yet: make features DATASET=${dataset} FEATURES=tiny`);
  return sets;
}

/** The same without those that lie in the wrong folder, which are said. */
export function placedSets(context: Context, dataset: string, feature: string | undefined): SetLocation[] {
  return chosenSets(context, dataset, feature).filter((set) => {
    const misplaced = misplacedSet(set);
    if (misplaced !== null) context.reporter.warn(misplaced.message);
    return misplaced === null;
  });
}

/** The manifest, where a store has one: shards alone can be verified too. */
export function manifestOrNull(context: Context, dataset: string): Manifest | null {
  const there = context.stores.some((store) => existsSync(join(store, dataset, 'manifest.json')));
  return there ? readManifest(context.stores, dataset) : null;
}

/** What is wrong with the manifests in each of the stores; nothing is looked at where one feature is meant. */
export function manifestProblems(context: Context, dataset: string, feature: string | undefined): string[] {
  return feature === undefined ? context.stores.flatMap((store) => checkManifests(store, dataset)) : [];
}

/** `12.3 MB`, `1.29 GB` */
export function sizeText(bytes: number): string {
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** `1 row`, `2 rows` */
export const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** At most `most` lines, then how many more there are. */
export function shortened(lines: readonly string[], most: number): string[] {
  if (lines.length <= most) return [...lines];
  return [...lines.slice(0, most), `... and ${lines.length - most} more (--json lists all)`];
}

/** `random-tiny-wavlm  a1b2c3d4e5f6`, and the store where there are several. */
export function setCells(context: Context, set: SetLocation): string[] {
  const cells = [set.feature, shortFingerprint(set.fingerprint)];
  return context.stores.length > 1 ? [...cells, set.store] : cells;
}

export function setHead(context: Context): string[] {
  return ['feature', 'fingerprint', ...(context.stores.length > 1 ? ['store'] : [])];
}
