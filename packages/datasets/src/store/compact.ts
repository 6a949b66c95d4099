import { unlinkSync } from 'node:fs';
import { breath } from '../base/breath.ts';
import { UserError } from '../base/errors.ts';
import { type Reporter, silent } from '../base/reporter.ts';
import { type CopiedShard, RowCopier } from './copy-rows.ts';
import { orUserErrorAsync } from './disk-error.ts';
import { DEFAULT_SHARD_BYTES } from './feature-set-writer.ts';
import type { FeatureSpec } from './feature-spec.ts';
import { type IndexPart, readIndexPart, type ShardEntry, writeIndexPart } from './index-part.ts';
import { type LocatedPart, uniteParts } from './index-union.ts';
import { indexFolder, indexPath } from './layout.ts';
import { type SetLocation, setTitle } from './set-location.ts';
import { ShardReader } from './shard-reader.ts';
import { FORMAT } from './shard-schema.ts';
import { checkParts } from './verify.ts';
import { claimPart } from './writer-lease.ts';

/** What a compaction would do, or did, to one set in one store. */
export interface CompactReport {
  readonly location: SetLocation;
  /** Parts that become one. */
  readonly merged: readonly string[];
  /** The part that they become. */
  readonly into: string;
  /** Small shards whose rows go to larger ones. */
  readonly smallShards: number;
  readonly rows: number;
  /** Parts left alone because somebody writes them. */
  readonly skipped: readonly string[];
}

export interface CompactOptions {
  /** Name of the one part; `main` unless given. */
  readonly into?: string;
  /** Shards smaller than half of this are merged. */
  readonly shardBytes?: number;
  /** Only say what would be done. */
  readonly dryRun?: boolean;
  readonly reporter?: Reporter;
  readonly signal?: AbortSignal;
}

/** Rows that are copied before somebody may interrupt: a fraction of a second. */
const ROWS_AT_ONCE = 32;

/**
 * Merges the index parts of a set in one store into one, and its small shards into larger ones. Rows keep their
 * bytes. New shards first, then the one part that lists everything, then the old parts go: at every moment the
 * parts together list every row, and a reader that finds a part gone looks again. The old shards stay until `gc`,
 * for readers that opened the set before. Parts with a live writer are left alone.
 * @throws UserError when a part or a shard is damaged (repair first), or the store can't be written; the signal's reason
 *   when it is aborted: the set is as it was then (shards that were finished wait for the next compaction, or for `gc`).
 */
export async function compactSet(
  location: SetLocation,
  spec: FeatureSpec,
  options: CompactOptions = {},
): Promise<CompactReport> {
  const { into = 'main', shardBytes = DEFAULT_SHARD_BYTES, dryRun = false } = options;
  return orUserErrorAsync(location.folder, async () => {
    const names = checkParts(location).map(({ name }) => name);
    const releases: (() => void)[] = [];
    const skipped: string[] = [];
    const held: string[] = [];
    try {
      for (const name of new Set([into, ...names])) {
        const release = tryClaim(location, name, dryRun);
        if (release === null) skipped.push(name);
        else {
          releases.push(release);
          if (names.includes(name)) held.push(name);
        }
      }
      // the target itself is being written: nothing to merge into
      if (skipped.includes(into)) return report(location, into, [], null, skipped);
      const parts = held.sort().map((name): LocatedPart => ({
        folder: location.folder,
        index: readIndexPart(indexPath(location.folder, name)),
      }));
      const merged = mergeParts(parts, spec, into);
      const small = smallShards(merged, shardBytes);
      const useful = parts.length > 1 || small.size > 0 || parts.some(({ index }) => index.part !== into);
      if (!useful) return report(location, into, [], null, skipped);
      if (!dryRun) {
        const copied = await copySmall(location, spec, merged, small, { ...options, shardBytes });
        options.signal?.throwIfAborted();
        writeIndexPart(indexPath(location.folder, into), replaceShards(merged, small, copied));
        for (const { index } of parts)
          if (index.part !== into) unlinkSync(indexPath(location.folder, index.part));
      }
      return report(location, into, held, { merged, small }, skipped);
    } finally {
      for (const release of releases) release();
    }
  });
}

function report(
  location: SetLocation,
  into: string,
  merged: readonly string[],
  done: { merged: IndexPart; small: ReadonlySet<number> } | null,
  skipped: readonly string[],
): CompactReport {
  const rows = done ? Object.keys(done.merged.utterances).length : 0;
  return { location, merged, into, smallShards: done?.small.size ?? 0, rows, skipped };
}

function tryClaim(location: SetLocation, part: string, dryRun: boolean): (() => void) | null {
  if (dryRun) return checkParts(location).find(({ name }) => name === part)?.heldBy ? null : () => {};
  try {
    return claimPart(indexFolder(location.folder), part);
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

/** One part that holds what readers would take from all of them; rows that lose are left out. Pure. */
export function mergeParts(parts: readonly LocatedPart[], spec: FeatureSpec, into: string): IndexPart {
  const union = uniteParts(parts);
  const shards: ShardEntry[] = [];
  const position = new Map<string, number>();
  const utterances: IndexPart['utterances'] = {};
  for (const [id, { shard, input, revision }] of union.rows) {
    let at = position.get(shard.sha256);
    if (at === undefined) {
      at = shards.push(shard) - 1;
      position.set(shard.sha256, at);
    }
    utterances[id] = { shard: at, input, ...(revision > 0 ? { revision } : {}) };
  }
  const quarantined: IndexPart['quarantined'] = {};
  for (const [id, { input, reason, revision }] of union.quarantined)
    quarantined[id] = { input, reason, ...(revision > 0 ? { revision } : {}) };
  const { dataset, feature, fingerprint } = spec;
  return { format: FORMAT, dataset, feature, fingerprint, part: into, shards, utterances, quarantined };
}

/** Positions of shards below half the size, where at least two could go together. */
function smallShards({ shards }: IndexPart, shardBytes: number): Set<number> {
  const groups = new Map<string, number[]>();
  shards.forEach(({ bytes, split, dtype }, i) => {
    if (bytes >= shardBytes / 2) return;
    const key = `${dtype} ${JSON.stringify(split)}`;
    listOf(groups, key).push(i);
  });
  return new Set([...groups.values()].filter((group) => group.length > 1).flat());
}

async function copySmall(
  location: SetLocation,
  spec: FeatureSpec,
  index: IndexPart,
  small: ReadonlySet<number>,
  { shardBytes, reporter = silent, signal }: CompactOptions & { readonly shardBytes: number },
): Promise<CopiedShard[]> {
  const { folder } = location;
  const copier = new RowCopier(folder, spec, shardBytes);
  const ids = new Map<number, string[]>();
  for (const [id, { shard }] of Object.entries(index.utterances))
    if (small.has(shard)) listOf(ids, shard).push(id);
  const total = [...ids.values()].reduce((sum, list) => sum + list.length, 0);
  let done = 0;
  try {
    for (const position of small) {
      const entry = index.shards[position] as ShardEntry;
      const reader = new ShardReader(folder, entry, spec);
      try {
        const rows = (ids.get(position) ?? []).map((id) => reader.rowOf(id)).sort((a, b) => a - b);
        const source = { path: reader.path, entry, metadata: reader.metadata, index };
        for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
          await breath(signal);
          copier.copy(source, rows.slice(from, from + ROWS_AT_ONCE));
          done = Math.min(total, done + ROWS_AT_ONCE);
          reporter.progress({ task: setTitle(location), done, total, unit: 'rows' });
        }
      } finally {
        reader.close();
      }
    }
    return copier.finish();
  } catch (error) {
    copier.discard();
    throw error;
  }
}

/** The part with its small shards replaced by those that their rows were copied to. Pure. */
function replaceShards(
  index: IndexPart,
  small: ReadonlySet<number>,
  copied: readonly CopiedShard[],
): IndexPart {
  const kept = index.shards.map((_, i) => i).filter((i) => !small.has(i));
  const position = new Map(kept.map((old, now) => [old, now]));
  const home = new Map<string, number>();
  copied.forEach(({ ids }, i) => {
    for (const id of ids) home.set(id, kept.length + i);
  });
  const utterances = Object.fromEntries(
    Object.entries(index.utterances).map(([id, entry]) => [
      id,
      { ...entry, shard: home.get(id) ?? (position.get(entry.shard) as number) },
    ]),
  );
  const shards = [...kept.map((i) => index.shards[i] as ShardEntry), ...copied.map(({ entry }) => entry)];
  return { ...index, shards, utterances };
}

function listOf<K, V>(lists: Map<K, V[]>, key: K): V[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}
