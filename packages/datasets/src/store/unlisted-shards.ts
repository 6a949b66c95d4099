import { closeSync, existsSync, openSync, readdirSync, statSync } from 'node:fs';
import { findShard } from './index-recovery.ts';
import type { IndexPart } from './index-part.ts';
import { type FeatureSetName, indexFolder, shardFolder, shardPath } from './layout.ts';
import { abandonedShards, readJournal } from './shard-journal.ts';
import { scanFile } from './shard-scan.ts';
import { stoppedPull } from './stopped-pull.ts';
import { partClaims } from './writer-lease.ts';

/** A shard that no index part lists. */
export interface UnlistedShard {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
  /** True when its bytes are those that its name says. */
  readonly whole: boolean;
  /** Rows that no index part has; 0 where its rows were merged into another shard, or it is not whole. */
  readonly rows: number;
}

const SHARD = /^sha256-([0-9a-f]{64})\.arrow$/;

/** Digests of the shards in a set's folder that are not among those listed. */
export function unlistedShards(folder: string, listed: { has(sha256: string): boolean }): string[] {
  const shards = shardFolder(folder);
  const names = existsSync(shards) ? readdirSync(shards) : [];
  return names.flatMap((name) => {
    const sha256 = SHARD.exec(name)?.[1];
    return sha256 === undefined || listed.has(sha256) ? [] : [sha256];
  });
}

/** Ids of which some index part says anything. */
export function idsIn(parts: Iterable<IndexPart>): Set<string> {
  const ids = new Set<string>();
  for (const { utterances, quarantined } of parts)
    for (const id of [...Object.keys(utterances), ...Object.keys(quarantined)]) ids.add(id);
  return ids;
}

/** Rows of an unlisted shard that an index made anew would claim: those that no part has. */
export function lostRows(
  set: FeatureSetName & { readonly folder: string },
  sha256: string,
  held: Set<string>,
): number {
  const found = findShard(shardPath(set.folder, sha256), sha256);
  if (found === null) return 0;
  const { dataset, feature, fingerprint } = found.spec;
  if (dataset !== set.dataset || feature !== set.feature || fingerprint !== set.fingerprint) return 0;
  return found.ids.filter((id) => !held.has(id)).length;
}

/** Reads a shard that no part lists. @returns null where it was swept meanwhile */
export async function checkUnlisted(
  set: FeatureSetName & { readonly folder: string },
  sha256: string,
  held: Set<string>,
  onBytes: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<UnlistedShard | null> {
  const path = shardPath(set.folder, sha256);
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) return null;
  const fd = openSync(path, 'r');
  try {
    const whole = (await scanFile(fd, size, (bytes) => onBytes(bytes.length), signal)) === sha256;
    return { path, sha256, bytes: size, whole, rows: whole ? lostRows(set, sha256, held) : 0 };
  } finally {
    closeSync(fd);
  }
}

/** Why shards without an index may be right: whoever brought them has not said the last word. */
export interface Awaited {
  /** What it is, and what to do. */
  readonly why: string;
  /** Somebody is at work now. */
  readonly live: boolean;
}

/** Who is going to list a set's shards; null where nobody is known to. */
export function awaited(folder: string): Awaited | null {
  const claims = partClaims(indexFolder(folder));
  const writer = claims.find(({ dead }) => !dead);
  if (writer) return { why: `process ${writer.pid} on ${writer.host} is writing the set`, live: true };
  const remote = stoppedPull(folder);
  if (remote !== null) return { why: `a pull from ${remote} was stopped here: run it again`, live: false };
  if (claims.length > 0 || abandonedShards(folder).some((shard) => readJournal(shard)?.path !== shard))
    return { why: 'their writer was killed: run its command again', live: false };
  return null;
}

/**
 * What is to be said of shards of a set that has no index at all, where nobody is known who would write one: their rows are as good
 * as gone for readers, and need not be computed again. Null otherwise.
 */
export function shardsWithoutIndex(folder: string): string | null {
  const index = indexFolder(folder);
  if (existsSync(index) && readdirSync(index).some((name) => /^[^.].*\.json$/.test(name))) return null;
  const shards = unlistedShards(folder, new Set());
  if (shards.length === 0 || awaited(folder) !== null) return null;
  return `${folder}: ${shards.length} ${shards.length === 1 ? 'shard' : 'shards'}, and no index: \`lsgmer features repair\` makes it anew from them`;
}
