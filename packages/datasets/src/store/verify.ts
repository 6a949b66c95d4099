import { closeSync, existsSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { type Reporter, silent } from '../base/reporter.ts';
import type { FeatureSpec } from './feature-spec.ts';
import { describeDifferences, fingerprintOf } from './fingerprint.ts';
import { DamagedIndexError, type IndexPart, readIndexPart, type ShardEntry } from './index-part.ts';
import { indexFolder, shardFolder, shardPath, specPath } from './layout.ts';
import { misplacedSet } from './misplaced-set.ts';
import { OutsideBytes } from './outside-bytes.ts';
import { type SetLocation, setTitle } from './set-location.ts';
import { checkShard, problemText, type ShardCheck } from './shard-check.ts';
import { specOfShard } from './shard-metadata.ts';
import { severalAtOnce } from './shard-scan.ts';
import { diffSpecs, NewerFormatError, parseSpec } from './shard-schema.ts';
import {
  type Awaited,
  awaited,
  checkUnlisted,
  idsIn,
  type UnlistedShard,
  unlistedShards,
} from './unlisted-shards.ts';
import { heldParts, isDead, isOwnHost, ownerOf } from './writer-lease.ts';

/** A file of `index/`. */
export interface PartCheck {
  readonly name: string;
  readonly path: string;
  /** Null where it is damaged. */
  readonly index: IndexPart | null;
  readonly problem: string | null;
  /** Who is writing it now. */
  readonly heldBy: { readonly host: string; readonly pid: number } | null;
}

/** What a writer that is gone (or cannot be asked) left behind. */
export interface Leftover {
  readonly path: string;
  readonly bytes: number;
  readonly dead: boolean;
}

/** All that is to be said of one feature set in one store. */
export interface SetCheck {
  readonly location: SetLocation;
  /** Where its folder holds another set, that and what to do; nothing else is looked at then. */
  readonly misplaced: string | null;
  /** What the shards, or where there are none feature.json, describe; null where neither can be read. */
  readonly spec: FeatureSpec | null;
  readonly specProblem: string | null;
  readonly parts: readonly PartCheck[];
  readonly shards: readonly ShardCheck[];
  readonly unlisted: readonly UnlistedShard[];
  /** Who may yet list them; null where nobody is known to. */
  readonly awaited: Awaited | null;
  readonly leftovers: readonly Leftover[];
}

export interface VerifyOptions {
  readonly reporter?: Reporter;
  readonly signal?: AbortSignal;
}

/** Shards read at the same time: as many as libuv has threads by default. */
const AT_ONCE = 4;
const MEGABYTE = 1e6;

/** Shards with rows that an index part listed which is gone: nobody is known who would list them again. */
export function lostShards({ unlisted, awaited }: SetCheck): UnlistedShard[] {
  return awaited === null ? unlisted.filter(({ rows }) => rows > 0) : [];
}

/** Damaged shards of a set whose index is gone: nothing vouches for any of their rows, nor says which they were. */
export function unreadableShards({ parts, unlisted, awaited }: SetCheck): UnlistedShard[] {
  return awaited === null && parts.length === 0 ? unlisted.filter(({ whole }) => !whole) : [];
}

/**
 * True when anything is damaged, or shards lost their index; other unlisted shards, leftovers and a set that lies in the
 * wrong folder are not damage.
 */
export function isDamaged(check: SetCheck): boolean {
  const { specProblem, parts, shards } = check;
  return (
    specProblem !== null ||
    lostShards(check).length > 0 ||
    unreadableShards(check).length > 0 ||
    parts.some((part) => part.problem !== null) ||
    shards.some((shard) => shard.problem !== null || shard.badRows.length > 0)
  );
}

/**
 * Reads every byte of a feature set in one store and compares it with all that vouches for it: sha256 of the
 * shards, xxh64 of each row and of all other bytes, sha256 of the index parts, feature.json against the shards.
 * Writes nothing; writers may go on meanwhile.
 * @throws NewerFormatError for files of a newer lsgmer; UserError for files that may not be read.
 */
export async function verifySet(location: SetLocation, options: VerifyOptions = {}): Promise<SetCheck> {
  const { reporter = silent, signal } = options;
  const { folder } = location;
  const misplaced = misplacedSet(location);
  if (misplaced !== null) {
    const nothing = { spec: null, specProblem: null, parts: [], shards: [], unlisted: [], leftovers: [] };
    return { location, misplaced: misplaced.message, awaited: null, ...nothing };
  }
  const parts = checkParts(location);
  const entries = listedShards(parts);
  const spec = checkSpec(
    location,
    [...entries.values()].map(({ entry }) => entry),
  );
  const unlistedNames = unlistedShards(folder, entries);
  const held = idsIn(parts.flatMap(({ index }) => index ?? []));
  const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const total =
    [...entries.keys()].reduce((sum, sha256) => sum + sizeOf(shardPath(folder, sha256)), 0) +
    unlistedNames.reduce((sum, sha256) => sum + sizeOf(shardPath(folder, sha256)), 0);
  let done = 0;
  const onBytes = (bytes: number): void => {
    done += bytes;
    const step = { task: setTitle(location), unit: 'MB', total: megabytes(total) };
    reporter.progress({ ...step, done: Math.min(megabytes(done), step.total) });
  };
  const { reference } = spec;
  const shards =
    reference === null
      ? [...entries.values()].map(({ entry, ids }) => unreadable(folder, entry, ids))
      : await severalAtOnce([...entries.values()], AT_ONCE, ({ entry, ids }) =>
          checkShard(folder, entry, reference, ids, onBytes, signal),
        );
  const unlisted = await severalAtOnce(unlistedNames, AT_ONCE, (sha256) =>
    checkUnlisted(location, sha256, held, onBytes, signal),
  );
  const changing = shards.some((one) => one.problem !== null) || unlisted.some((one) => one && one.rows > 0);
  const now = changing ? listedShards(checkParts(location)) : entries;
  return {
    location,
    misplaced: null,
    spec: reference,
    specProblem: spec.problem,
    parts,
    // a writer that merged shards meanwhile took the old ones out of its index, and listed new ones
    shards: shards.filter((one) => now.has(one.entry.sha256)),
    unlisted: unlisted.filter((one): one is UnlistedShard => one !== null && !now.has(one.sha256)),
    awaited: awaited(folder),
    leftovers: findLeftovers(folder),
  };
}

/** A shard of a set of which nothing says any more what it holds. */
function unreadable(folder: string, entry: ShardEntry, ids: readonly string[]): ShardCheck {
  const what = 'neither feature.json nor any shard says what it holds';
  const badRows = ids.map((id) => ({ id, row: null, what }));
  const path = shardPath(folder, entry.sha256);
  return { path, entry, bytes: 0, problem: what, badRows, whole: new Map(), metadata: null };
}

const megabytes = (bytes: number): number => Math.round(bytes / (MEGABYTE / 10)) / 10;

/** Reads all index parts of a set in one store. */
export function checkParts(location: SetLocation): PartCheck[] {
  const folder = indexFolder(location.folder);
  if (!existsSync(folder)) return [];
  const held = heldParts(folder);
  const names = readdirSync(folder).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
  return names.sort().flatMap((file): PartCheck[] => {
    const name = file.slice(0, -5);
    const path = join(folder, file);
    const common = { name, path, heldBy: held.get(name) ?? null };
    try {
      const index = readIndexPart(path);
      const said = `${index.dataset}/${index.feature}/${index.fingerprint}, part ${index.part}`;
      const expected = `${location.dataset}/${location.feature}/${location.fingerprint}, part ${name}`;
      if (said !== expected) return [{ ...common, index: null, problem: `it belongs to ${said}` }];
      return [{ ...common, index, problem: null }];
    } catch (error) {
      // taken away by whoever merges parts
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      if ((error as NodeJS.ErrnoException).code === 'EIO')
        return [{ ...common, index: null, problem: 'the disk cannot read it (EIO)' }];
      if (!(error instanceof DamagedIndexError)) throw error;
      return [{ ...common, index: null, problem: error.what }];
    }
  });
}

interface ListedShard {
  readonly entry: ShardEntry;
  readonly ids: string[];
}

function listedShards(parts: readonly PartCheck[]): Map<string, ListedShard> {
  const listed = new Map<string, ListedShard>();
  for (const { index } of parts) {
    if (!index) continue;
    for (const entry of index.shards)
      if (!listed.has(entry.sha256)) listed.set(entry.sha256, { entry, ids: [] });
    for (const [id, { shard }] of Object.entries(index.utterances))
      listed.get((index.shards[shard] as ShardEntry).sha256)?.ids.push(id);
  }
  return listed;
}

/** The specification by the word of most of the shards whose metadata is verified, and what feature.json says to it. */
function checkSpec(
  location: SetLocation,
  entries: readonly ShardEntry[],
): { reference: FeatureSpec | null; problem: string | null } {
  const written = readSpecFile(location);
  const told: { spec: FeatureSpec; rows: number }[] = [];
  for (const entry of entries) {
    const spec = specIn(location, entry);
    if (spec === null) continue;
    if (written.spec && diffSpecs(spec, written.spec).length === 0)
      return { reference: written.spec, problem: null };
    const same = told.find((one) => diffSpecs(one.spec, spec).length === 0);
    if (same) same.rows += entry.rows;
    else told.push({ spec, rows: entry.rows });
  }
  const [most] = told.sort((a, b) => b.rows - a.rows);
  if (!most) return { reference: written.spec, problem: written.problem };
  const differences = written.spec && describeDifferences(diffSpecs(most.spec, written.spec));
  return { reference: most.spec, problem: written.problem ?? `its shards say otherwise: ${differences}` };
}

function readSpecFile(location: SetLocation): { spec: FeatureSpec | null; problem: string | null } {
  const path = specPath(location.folder);
  if (!existsSync(path)) return { spec: null, problem: 'it is missing' };
  try {
    const spec = parseSpec(readFileSync(path, 'utf8'), path);
    if (isOf(spec, location)) return { spec, problem: null };
    return { spec: null, problem: 'its computation, or its name, is not that of its folder' };
  } catch (error) {
    if (error instanceof NewerFormatError || !(error instanceof UserError)) throw error;
    return { spec: null, problem: error.message.replace(/; run `lsgmer features repair`$/, '') };
  }
}

function isOf(spec: FeatureSpec, { dataset, feature, fingerprint }: SetLocation): boolean {
  const named = spec.dataset === dataset && spec.feature === feature && spec.fingerprint === fingerprint;
  return named && fingerprintOf(spec.computation) === fingerprint;
}

/** What a shard says of its set; null where it is damaged, or of another set. */
function specIn(location: SetLocation, entry: ShardEntry): FeatureSpec | null {
  const path = shardPath(location.folder, entry.sha256);
  if (!existsSync(path)) return null;
  const fd = openSync(path, 'r');
  try {
    const size = statSync(path).size;
    const spec = specOfShard(
      new OutsideBytes(fd, size > entry.bytes ? entry.bytes : size, entry, path),
      path,
    );
    return isOf(spec, location) ? spec : null;
  } catch (error) {
    if (error instanceof NewerFormatError || problemText(error) === null) throw error;
    return null;
  } finally {
    closeSync(fd);
  }
}

/** Temporary files and claims in a set's folders, those of live writers on this host left out. */
export function findLeftovers(folder: string): Leftover[] {
  return leftoversIn([folder, indexFolder(folder), shardFolder(folder)]);
}

/** The same in folders of any kind. */
export function leftoversIn(places: readonly string[]): Leftover[] {
  return places.flatMap((place) =>
    (existsSync(place) ? readdirSync(place) : []).flatMap((name) => {
      const owner = ownerOf(name);
      const path = join(place, name);
      const size = owner && statSync(path, { throwIfNoEntry: false })?.size;
      if (!owner || size == null) return [];
      const dead = isDead(owner);
      return dead || !isOwnHost(owner) ? [{ path, bytes: size, dead }] : [];
    }),
  );
}
