import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../base/errors.ts';
import type { FeatureSpec } from './feature-spec.ts';
import { fingerprintOf } from './fingerprint.ts';
import { type FeatureSetIndex, readFeatureSetIndex } from './index-union.ts';
import { foundFolder, isSetPlace, shardPath, specPath } from './layout.ts';
import { isSpareCopy, misplacedSet } from './misplaced-set.ts';
import { holdsContent, isSetFolder, type SetLocation } from './set-location.ts';
import { parseSpec } from './shard-schema.ts';
import { stoppedPull } from './stopped-pull.ts';
import { awaited, shardsWithoutIndex, unlistedShards } from './unlisted-shards.ts';

/** A set has shards or index parts, and lost the feature.json that says what they are. */
export class MissingSpecError extends UserError {
  readonly fingerprint: string;
  constructor(message: string, fingerprint: string) {
    super(message);
    this.fingerprint = fingerprint;
  }
}

/** A feature set as found: one fingerprint, in one or several stores. */
export interface FoundFeatureSet {
  readonly dataset: string;
  readonly feature: string;
  readonly fingerprint: string;
  readonly spec: FeatureSpec;
  /** Folders of the set, in the order of the stores. */
  readonly folders: readonly string[];
}

/** Names of the datasets that any of the stores has, sorted. */
export function listDatasets(stores: readonly string[]): string[] {
  return [...new Set(stores.flatMap((store) => folders(store)))].sort();
}

/** Names of a dataset's features, sorted: folders that hold at least one set, readable or not. */
export function listFeatures(stores: readonly string[], dataset: string): string[] {
  const names = stores.flatMap((store) => {
    const folder = join(store, dataset);
    return folders(folder).filter((name) =>
      folders(join(folder, name)).some((inner) => isSetFolder(store, dataset, name, inner)),
    );
  });
  return [...new Set(names)].sort();
}

/**
 * Feature sets of a dataset and feature, by fingerprint. A folder without feature.json, shards and index parts is a
 * set whose writer was stopped at its very start, and is left out.
 * @param onUnreadable told of each set that cannot be read, which is left out then.
 * @throws UserError for a damaged feature.json, MissingSpecError for one that is gone, MisplacedSetError for a folder
 *   that holds another set; only where nobody is told. A spare copy harms nobody, and is told only.
 */
export function findFeatureSets(
  stores: readonly string[],
  dataset: string,
  feature: string,
  onUnreadable?: (error: UserError) => void,
): FoundFeatureSet[] {
  const found = new Map<string, { spec: FeatureSpec; folders: string[] }>();
  for (const store of stores) {
    const home = foundFolder(store, dataset, feature);
    for (const fingerprint of folders(home)) {
      if (!isSetFolder(store, dataset, feature, fingerprint)) continue;
      const folder = join(home, fingerprint);
      if (!existsSync(specPath(folder)) && !holdsContent(folder)) continue;
      const known = found.get(fingerprint);
      if (known) {
        known.folders.push(folder);
        continue;
      }
      try {
        const spec = readSpec({ store, folder, dataset, feature, fingerprint });
        found.set(fingerprint, { spec, folders: [folder] });
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        if (onUnreadable !== undefined) onUnreadable(error);
        else if (!isSpareCopy(error)) throw error;
      }
    }
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([fingerprint, set]) => ({ dataset, feature, fingerprint, ...set }));
}

function readSpec(set: SetLocation): FeatureSpec {
  const path = specPath(set.folder);
  const elsewhere = existsSync(path) && isSetPlace(set) ? null : misplacedSet(set);
  if (elsewhere !== null) throw elsewhere;
  if (!existsSync(path)) throw withoutSpec(set);
  const spec = parseSpec(readFileSync(path, 'utf8'), path);
  const said = `${spec.dataset}/${spec.feature}/${spec.fingerprint}`;
  const expected = `${set.dataset}/${set.feature}/${set.fingerprint}`;
  if (said === expected && fingerprintOf(spec.computation) === spec.fingerprint) return spec;
  const misplaced = misplacedSet(set);
  if (misplaced !== null) throw misplaced;
  throw new UserError(
    `${path} describes ${said}, whose computation has the fingerprint ${fingerprintOf(spec.computation)}; ` +
      `expected ${expected}: run \`lsgmer features repair\``,
  );
}

function withoutSpec({ folder, fingerprint }: SetLocation): MissingSpecError {
  const waiting = awaited(folder);
  // a pull and a writer write it when they begin
  const next =
    waiting === null
      ? 'run `lsgmer features repair`'
      : waiting.live
        ? `${waiting.why}: wait for it, then run \`lsgmer features repair\``
        : waiting.why;
  return new MissingSpecError(`${specPath(folder)} is missing: ${next}`, fingerprint);
}

/** How much of a list of utterances a set has. */
export interface Coverage {
  readonly present: number;
  /** Ids in the order of the question. */
  readonly quarantined: string[];
  readonly missing: string[];
}

/** Compares a set with a list of ids. Inputs are not looked at: `planExtraction` tells stale rows. Pure. */
export function coverageOf(
  index: Pick<FeatureSetIndex, 'rows' | 'quarantined'>,
  ids: Iterable<string>,
): Coverage {
  let present = 0;
  const quarantined: string[] = [];
  const missing: string[] = [];
  for (const id of ids) {
    if (index.rows.has(id)) present++;
    else (index.quarantined.has(id) ? quarantined : missing).push(id);
  }
  return { present, quarantined, missing };
}

/** One line of `features status`. */
export interface FeatureSetSummary extends FoundFeatureSet {
  readonly rows: number;
  readonly shards: number;
  /** Bytes of all shards that the index lists. */
  readonly bytes: number;
  /** Quarantined utterances by reason. */
  readonly quarantined: ReadonlyMap<string, string>;
  /** With respect to `ids`, where they were given. */
  readonly coverage: Coverage | null;
  /** What would keep the set from being read: missing shards, shards of a wrong size, a damaged index. */
  readonly problems: readonly string[];
}

/** Sums up a feature set without reading a shard. Damage is reported in `problems`, not thrown. */
export function summarise(
  set: FoundFeatureSet,
  stores: readonly string[],
  ids?: Iterable<string>,
): FeatureSetSummary {
  let index: FeatureSetIndex;
  try {
    index = readFeatureSetIndex(stores, set);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return {
      ...set,
      rows: 0,
      shards: 0,
      bytes: 0,
      quarantined: new Map(),
      coverage: null,
      problems: [error.message],
    };
  }
  const problems: string[] = [];
  const sizes = new Map<string, number>();
  for (const { folder, index: part } of index.parts) {
    for (const shard of part.shards) {
      const path = shardPath(folder, shard.sha256);
      if (sizes.has(path)) continue;
      sizes.set(path, shard.bytes);
      const size = statSync(path, { throwIfNoEntry: false })?.size;
      if (size === undefined) problems.push(`${path} is missing`);
      else if (size !== shard.bytes)
        problems.push(`${path} has ${size} bytes, and the index says ${shard.bytes}`);
    }
  }
  for (const folder of set.folders) {
    const problem = shardsWithoutIndex(folder) ?? withoutIndex(folder, index);
    if (problem !== null) problems.push(problem);
  }
  return {
    ...set,
    rows: index.rows.size,
    shards: sizes.size,
    bytes: [...sizes.values()].reduce((sum, size) => sum + size, 0),
    quarantined: new Map([...index.quarantined].map(([id, { reason }]) => [id, reason])),
    coverage: ids ? coverageOf(index, ids) : null,
    problems,
  };
}

/** What is to be said of shards that have no index, and of a pull that was stopped. */
function withoutIndex(folder: string, { parts }: FeatureSetIndex): string | null {
  const waiting = awaited(folder);
  if (waiting?.live === true) return null;
  const listed = waiting === null || parts.some((part) => part.folder === folder);
  const shards = listed ? [] : unlistedShards(folder, new Set());
  if (shards.length > 0)
    return `${folder}: ${shards.length} ${shards.length === 1 ? 'shard' : 'shards'}, and no index: ${waiting?.why}`;
  return stoppedPull(folder) === null ? null : `${folder}: ${waiting?.why}`;
}

function folders(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.startsWith('.'))
    .map((entry) => entry.name);
}
