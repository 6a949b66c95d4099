import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { fingerprintOf } from './fingerprint.ts';
import { readIndexPart } from './index-part.ts';
import {
  checkName,
  type FeatureSetName,
  FINGERPRINT_PATTERN,
  indexFolder,
  isSetPlace,
  setFolder,
  shardFolder,
  specPath,
} from './layout.ts';
import { holdsContent, locateSets, type SetLocation, setTitle } from './set-location.ts';
import { problemText } from './shard-check.ts';
import { specOfShard } from './shard-metadata.ts';
import { UncheckedBytes } from './shard-salvage.ts';
import { parseSpec } from './shard-schema.ts';

/** A set's folder was copied or renamed by hand: all that is in it says that it belongs elsewhere. */
export class MisplacedSetError extends UserError {
  /** A copy under a name that no command takes for a set's (`<fingerprint>.bak`): what is read is the original. */
  readonly isSpare: boolean;
  /** The set that it is; null where its files do not say. */
  readonly original: FeatureSetName | null;
  constructor(message: string, isSpare: boolean, original: FeatureSetName | null) {
    super(message);
    this.isSpare = isSpare;
    this.original = original;
  }
}

/** True where what cannot be read is a copy that harms nobody. */
export function isSpareCopy(error: UserError): boolean {
  return error instanceof MisplacedSetError && error.isSpare;
}

/**
 * Tells a folder that holds another set than its path says from one whose feature.json is damaged: of all that carries the
 * set's name (feature.json, index parts, shards), nothing says the folder's own. A folder whose name is no fingerprint, or in one
 * whose name no feature may have, never is a set's own.
 * @returns null for a set that lies where it belongs, and where nothing says what is there.
 */
export function misplacedSet(location: SetLocation): MisplacedSetError | null {
  const same = (name: FeatureSetName): boolean =>
    name.dataset === location.dataset &&
    name.feature === location.feature &&
    name.fingerprint === location.fingerprint;
  let other: FeatureSetName | null = null;
  for (const name of namesIn(location.folder)) {
    if (same(name)) return null;
    other ??= name;
  }
  const isPlace = isSetPlace(location);
  if (other === null) {
    if (isPlace) return null;
    const name = FINGERPRINT_PATTERN.test(location.fingerprint)
      ? `${location.feature} is no name for a feature (letters, digits, ".", "_" and "-")`
      : 'its name is no fingerprint (64 hex digits)';
    return new MisplacedSetError(
      `${location.folder} has the files of a feature set, and ${name}: rename it back, or remove it`,
      false,
      null,
    );
  }
  const own = setFolder(location.store, other);
  const what = `${location.folder} is a copy of ${other.dataset}/${setTitle(other)}`;
  const isCopy = existsSync(specPath(own));
  return new MisplacedSetError(
    isCopy
      ? `${what}, which is there too: remove the copy`
      : `${what}, which is not in its own folder: rename it back to ${own}, or remove it`,
    isCopy && !isPlace,
    other,
  );
}

/**
 * For a set that is about to be computed or fetched as a whole: it may lie beside, in a folder that was renamed by hand.
 * @param done what was not done then: "computed"
 * @throws UserError that says where it lies
 */
export function refuseRenamedSet(stores: readonly string[], set: FeatureSetName, done: string): void {
  if (stores.some((store) => holdsContent(setFolder(store, set)))) return;
  for (const location of locateSets(stores, set.dataset)) {
    const misplaced = misplacedSet(location);
    const { feature, fingerprint } = misplaced?.original ?? {};
    if (feature === set.feature && fingerprint === set.fingerprint)
      throw new UserError(
        `${misplaced?.message} (nothing was ${done}: its rows count once it is renamed back)`,
      );
  }
}

/** What the files of a set's folder say that they belong to, the cheapest first; damaged ones say nothing. */
function* namesIn(folder: string): Generator<FeatureSetName> {
  const spec = orNull(() => parseSpec(readFileSync(specPath(folder), 'utf8'), specPath(folder)));
  if (spec && fingerprintOf(spec.computation) === spec.fingerprint) yield* usable(spec);
  for (const path of filesIn(indexFolder(folder), /^[^.].*\.json$/))
    yield* usable(orNull(() => readIndexPart(path)));
  for (const path of filesIn(shardFolder(folder), /^sha256-.*\.arrow$/))
    yield* usable(orNull(() => specIn(path)));
}

/** A name that no folder can have is damage. */
function usable(name: FeatureSetName | null): FeatureSetName[] {
  const good =
    name !== null &&
    FINGERPRINT_PATTERN.test(name.fingerprint) &&
    orNull(() => checkName('dataset', name.dataset) && checkName('feature', name.feature)) !== null;
  return good ? [name] : [];
}

function filesIn(folder: string, pattern: RegExp): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => join(folder, name));
}

function specIn(path: string): FeatureSetName {
  const fd = openSync(path, 'r');
  try {
    return specOfShard(new UncheckedBytes(fd, fstatSync(fd).size, path), path);
  } finally {
    closeSync(fd);
  }
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    const gone = (error as NodeJS.ErrnoException).code === 'ENOENT';
    // damaged metadata may point anywhere
    if (gone || error instanceof RangeError || problemText(error) !== null) return null;
    throw error;
  }
}
