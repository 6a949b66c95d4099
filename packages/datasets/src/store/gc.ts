import { existsSync, readdirSync, readFileSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { orUserError } from './disk-error.ts';
import { isImported } from './feature-spec.ts';
import { uniteParts } from './index-union.ts';
import { indexFolder, shardFolder, shardPath, specPath } from './layout.ts';
import { misplacedSet } from './misplaced-set.ts';
import { readPins } from './pins.ts';
import { locateSets, type SetLocation, setTitle } from './set-location.ts';
import { parseSpec } from './shard-schema.ts';
import { coverageOf } from './store-listing.ts';
import { bytesBelow, emptyTrash, moveToTrash, oldTrash, ownersBelow, TRASH_DAYS } from './trash.ts';
import { awaited, idsIn, lostRows, unlistedShards } from './unlisted-shards.ts';
import { checkParts, findLeftovers, type Leftover, leftoversIn, type PartCheck } from './verify.ts';
import { heldParts } from './writer-lease.ts';

/** Something that gc takes away, or would. */
export interface GcItem {
  readonly path: string;
  readonly bytes: number;
  readonly why: string;
  /** To the trash; or for good: temporary files of dead writers (`remove`), a day of old trash (`empty`). */
  readonly fate: 'trash' | 'remove' | 'empty';
  /** Numeric ids of the accounts that own it, or anything in it. */
  readonly owners: readonly number[];
}

export interface GcPlan {
  readonly store: string;
  readonly dataset: string;
  readonly items: readonly GcItem[];
  /** Sets that stay, and why. */
  readonly kept: readonly { readonly set: SetLocation; readonly bytes: number; readonly why: string }[];
  /** Items of other accounts, which only `force` takes. */
  readonly others: readonly GcItem[];
  /** Shards that no index part lists and that are let be, and why: they have rows that no listed one has. */
  readonly lost: readonly { readonly set: SetLocation; readonly shards: number; readonly why: string }[];
}

export interface GcOptions {
  /** Store that is cleaned up. */
  readonly store: string;
  /** All stores in use: pins in any of them count. */
  readonly stores: readonly string[];
  readonly dataset: string;
  /** Only this feature, as name or name@<first digits of the fingerprint>; nothing else is looked at then. */
  readonly feature?: string | undefined;
  /** Ids of the manifest: what a complete set holds; null where there is no manifest (any rows will do). */
  readonly ids: readonly string[] | null;
  readonly now: Date;
  /** Also what other accounts own. */
  readonly force?: boolean;
  /** Numeric id of this account; null where the system has none. */
  readonly account: number | null;
}

/** After the last change of the index, a shard that no part lists is left alone so long: its writer, or a reader with an older index, may need it. */
export const UNLISTED_GRACE_MS = 86_400_000;

/**
 * What can go from one store: feature sets that no run pinned and that are not the newest (complete) one of their
 * feature, shards that no index part lists, temporary files of dead writers, trash older than `TRASH_DAYS`.
 * @throws UserError for a pin that can't be read.
 */
export function planGc(options: GcOptions): GcPlan {
  const { store, stores, dataset, now, force = false, account } = options;
  const pinned = new Map<string, number>();
  for (const { fingerprints } of readPins(stores, dataset))
    for (const [feature, fingerprint] of Object.entries(fingerprints)) {
      const key = `${feature}@${fingerprint}`;
      pinned.set(key, (pinned.get(key) ?? 0) + 1);
    }
  const all: GcItem[] = [];
  const kept: { set: SetLocation; bytes: number; why: string }[] = [];
  const lost: { set: SetLocation; shards: number; why: string }[] = [];
  const [name, prefix = ''] = (options.feature ?? '').split('@', 2);
  const isChosen = ({ feature, fingerprint }: SetLocation): boolean =>
    options.feature === undefined || (feature === name && fingerprint.startsWith(prefix));
  const placed: SetLocation[] = [];
  for (const set of locateSets([store], dataset)) {
    const misplaced = misplacedSet(set);
    if (misplaced === null) placed.push(set);
    else if (isChosen(set)) kept.push({ set, bytes: bytesBelow(set.folder), why: misplaced.message });
  }
  for (const sets of byFeature(placed).values()) {
    if (!sets.some(isChosen)) continue;
    const states = sets.map((set) => stateOf(set, options.ids));
    const newest = latest(states);
    const newestComplete = latest(states.filter(({ complete }) => complete));
    for (const state of states) {
      const { set } = state;
      if (!isChosen(set)) continue;
      const runs = pinned.get(`${set.feature}@${set.fingerprint}`) ?? 0;
      const why = reasonToKeep(state, runs, newestComplete, newest);
      if (why === null) {
        all.push({
          ...item(
            set.folder,
            bytesBelow(set.folder),
            `${setTitle(set)}: no run uses it, and a newer one is there`,
          ),
          fate: 'trash',
        });
        continue;
      }
      kept.push({ set, bytes: bytesBelow(set.folder), why });
      all.push(...sweepings(state, now));
      if (state.lost.length > 0) lost.push({ set, shards: state.lost.length, why: whyLost(state) });
    }
  }
  if (options.feature === undefined) all.push(...besidesSets(store, dataset, now));
  const own = (one: GcItem): boolean =>
    force || account === null || one.owners.every((owner) => owner === account);
  return { store, dataset, kept, lost, items: all.filter(own), others: all.filter((one) => !own(one)) };
}

interface SetState {
  readonly set: SetLocation;
  readonly complete: boolean;
  readonly held: boolean;
  /** Last change of the index. */
  readonly changed: number;
  readonly damaged: boolean;
  /** Digests of the shards that no part lists, and that nobody is going to list. */
  readonly unlisted: readonly string[];
  /** Of these, such as have rows that no part has: repair makes an index of them. */
  readonly lost: readonly string[];
  readonly rows: number;
}

function stateOf(set: SetLocation, ids: readonly string[] | null): SetState {
  const parts = checkParts(set);
  const union = uniteParts(
    parts.flatMap(({ index }) => (index === null ? [] : [{ folder: set.folder, index }])),
  );
  return {
    set,
    complete: ids === null ? union.rows.size > 0 : coverageOf(union, ids).missing.length === 0,
    held: heldParts(indexFolder(set.folder)).size > 0,
    changed: Math.max(0, ...[set.folder, ...parts.map(({ path }) => path)].map(changeOf)),
    ...unlistedOf(set, parts),
  };
}

function unlistedOf(
  set: SetLocation,
  parts: readonly PartCheck[],
): Pick<SetState, 'damaged' | 'unlisted' | 'lost' | 'rows'> {
  // a damaged part may list any of them: repair comes first; and a live writer may be about to list one
  const damaged = parts.some(({ problem }) => problem !== null);
  if (damaged || heldParts(indexFolder(set.folder)).size > 0)
    return { damaged, unlisted: [], lost: [], rows: 0 };
  const indexes = parts.flatMap(({ index }) => index ?? []);
  const listed = new Set(indexes.flatMap(({ shards }) => shards.map(({ sha256 }) => sha256)));
  const held = idsIn(indexes);
  const unlisted = unlistedShards(set.folder, listed);
  const rows = new Map(unlisted.map((sha256) => [sha256, lostRows(set, sha256, held)]));
  return {
    damaged,
    unlisted,
    lost: unlisted.filter((sha256) => rows.get(sha256) !== 0),
    rows: [...rows.values()].reduce((sum, n) => sum + n, 0),
  };
}

function whyLost({ set, lost, rows }: SetState): string {
  const why =
    awaited(set.folder)?.why ?? 'an index part is gone: `lsgmer features repair` makes it anew from them';
  const shards = lost.length === 1 ? '1 shard' : `${lost.length} shards`;
  return `${shards} with ${rows} ${rows === 1 ? 'row' : 'rows'} that no index part has stay: ${why}`;
}

const changeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

function latest(states: readonly SetState[]): SetState | undefined {
  return [...states].sort((a, b) => b.changed - a.changed)[0];
}

function reasonToKeep(
  state: SetState,
  runs: number,
  newestComplete: SetState | undefined,
  newest: SetState | undefined,
): string | null {
  if (runs > 0) return `${runs} ${runs === 1 ? 'run uses' : 'runs use'} it`;
  if (state === newestComplete) return 'the newest complete one';
  if (state === newest) return 'the newest one';
  if (state.held) return 'it is being written';
  if (state.damaged) return 'its index is damaged: `lsgmer features repair` comes first';
  return state.lost.length > 0 ? 'its index is gone' : null;
}

/** Sets of which a newer one can take the place of an older one: of one name and kind, and made in one way. */
function byFeature(sets: readonly SetLocation[]): Map<string, SetLocation[]> {
  const features = new Map<string, SetLocation[]>();
  for (const set of sets) {
    const key = `${set.feature} ${kindOf(set)}`;
    features.set(key, [...(features.get(key) ?? []), set]);
  }
  return features;
}

function kindOf({ folder }: SetLocation): string {
  try {
    const spec = parseSpec(readFileSync(specPath(folder), 'utf8'), specPath(folder));
    return `${spec.kind} ${isImported(spec) ? 'imported' : 'extracted'}`;
  } catch (error) {
    if (!(error instanceof UserError) && (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return 'unknown';
  }
}

/** What lies in a dataset's own folders. */
function besidesSets(store: string, dataset: string, now: Date): GcItem[] {
  const places = ['.', 'manifests', 'pins'].map((name) => join(store, dataset, name));
  const old = oldTrash(store, dataset, now).map(({ day, path, bytes }): GcItem => ({
    ...item(path, bytes, `trash of ${day}, older than ${TRASH_DAYS} days`),
    fate: 'empty',
  }));
  return [...deadFiles(leftoversIn(places)), ...old];
}

function deadFiles(leftovers: readonly Leftover[]): GcItem[] {
  return leftovers
    .filter(({ dead }) => dead)
    .map(({ path, bytes }) => ({ ...item(path, bytes, 'left by a writer that is gone'), fate: 'remove' }));
}

/** Beginnings of shards that a broken pull left, and that no pull went on with for long. */
function oldBeginnings(set: SetLocation, now: Date): GcItem[] {
  const folder = shardFolder(set.folder);
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('.partial-')) : [];
  return names.flatMap((name) => {
    const path = join(folder, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined || now.getTime() - stat.mtimeMs < UNLISTED_GRACE_MS) return [];
    return [
      { ...item(path, stat.size, 'the beginning of a shard that was not pulled to its end'), fate: 'remove' },
    ];
  });
}

/** What lies in a set that stays, and belongs to nobody. */
function sweepings({ set, changed, unlisted, lost }: SetState, now: Date): GcItem[] {
  const items: GcItem[] = [...deadFiles(findLeftovers(set.folder)), ...oldBeginnings(set, now)];
  for (const sha256 of unlisted) {
    const path = shardPath(set.folder, sha256);
    const stat = statSync(path, { throwIfNoEntry: false });
    const latest = Math.max(changed, stat?.mtimeMs ?? now.getTime());
    if (lost.includes(sha256) || stat === undefined || now.getTime() - latest < UNLISTED_GRACE_MS) continue;
    items.push({ ...item(path, stat.size, 'a shard that no index part lists'), fate: 'trash' });
  }
  return items;
}

function item(path: string, bytes: number, why: string): Omit<GcItem, 'fate'> {
  return { path, bytes, why, owners: ownersBelow(path) };
}

/**
 * Does what a plan says; what somebody else took away meanwhile is passed over.
 * @throws UserError when the account may not.
 */
export function runGc({ store, dataset, items }: GcPlan, now: Date): void {
  for (const { path, fate } of items) {
    orUserError(path, () => {
      if (fate === 'trash') moveToTrash(store, dataset, path, now);
      else if (fate === 'empty') emptyTrash(path);
      else if (existsSync(path)) unlinkSync(path);
    });
  }
}
