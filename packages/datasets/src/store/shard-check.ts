import { closeSync, fstatSync, openSync } from 'node:fs';
import { UserError } from '../base/errors.ts';
import { DamageError } from './damage-error.ts';
import type { FeatureSpec } from './feature-spec.ts';
import type { ShardEntry } from './index-part.ts';
import { shardPath } from './layout.ts';
import { OutsideBytes } from './outside-bytes.ts';
import { hex64 } from './row-hash.ts';
import type { ShardMetadata } from './shard-batch.ts';
import { parseShard } from './shard-metadata.ts';
import { salvageMetadata } from './shard-salvage.ts';
import { RowChecks, scanFile } from './shard-scan.ts';
import { NewerFormatError } from './shard-schema.ts';

/** An utterance whose row can't be used. */
export interface BadRow {
  readonly id: string;
  /** Position in the shard; null where the shard does not show it. */
  readonly row: number | null;
  readonly what: string;
}

/** One shard that the index lists, read from its beginning to its end. */
export interface ShardCheck {
  readonly path: string;
  readonly entry: ShardEntry;
  readonly bytes: number;
  /** Null when every byte is as it was written. */
  readonly problem: string | null;
  /** Utterances that the index places in it, and that can't be used. */
  readonly badRows: readonly BadRow[];
  /** Rows whose every byte is as it was written, by id. */
  readonly whole: ReadonlyMap<string, number>;
  /** Null where nothing of it can be read. */
  readonly metadata: ShardMetadata | null;
}

/**
 * Reads a shard once and checks all of it: size, sha256, the bytes outside the values, every row's xxh64.
 * @param ids utterances that the index places in it.
 * @throws NewerFormatError; UserError when the file may not be read.
 */
export async function checkShard(
  folder: string,
  entry: ShardEntry,
  spec: FeatureSpec,
  ids: Iterable<string>,
  onBytes: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<ShardCheck> {
  const path = shardPath(folder, entry.sha256);
  const fd = openOrNull(path);
  if (fd === null) {
    return { ...summed(path, entry, ids, 'the file is missing', null, new Map()), bytes: 0 };
  }
  try {
    const size = fstatSync(fd).size;
    const read = readMetadata(fd, size, entry, spec, path);
    const checks = read.metadata && new RowChecks(read.metadata, spec, entry.dtype);
    const length = Math.min(size, entry.bytes);
    const sha256 = await scanFile(
      fd,
      length,
      (bytes, position) => {
        checks?.update(bytes, position);
        onBytes(bytes.length);
      },
      signal,
    );
    const problem = problemOf(size, entry, sha256, read.problem);
    // token spans are vouched for by the checksum of the metadata alone
    const usable = read.verified || spec.kind === 'audio';
    const rows = usable && read.metadata && checks ? rightRows(read.metadata, checks) : new Map();
    return { ...summed(path, entry, ids, problem, read.metadata, rows, checks), bytes: size };
  } finally {
    closeSync(fd);
  }
}

interface ReadMetadata {
  readonly metadata: ShardMetadata | null;
  /** True when every byte of it is as it was written. */
  readonly verified: boolean;
  readonly problem: string | null;
}

function readMetadata(
  fd: number,
  size: number,
  entry: ShardEntry,
  spec: FeatureSpec,
  path: string,
): ReadMetadata {
  try {
    // what was added behind the end does no harm to what is before it
    const outside = new OutsideBytes(fd, size > entry.bytes ? entry.bytes : size, entry, path);
    return { metadata: parseShard(outside, entry, spec, path), verified: true, problem: null };
  } catch (error) {
    if (error instanceof NewerFormatError) throw error;
    const problem = problemText(error);
    if (problem === null) throw error;
    if (!(error instanceof DamageError) && (error as NodeJS.ErrnoException).code !== 'EIO')
      return { metadata: null, verified: false, problem };
    return { metadata: salvageMetadata(fd, size, entry, spec, path), verified: false, problem };
  }
}

/** What damage of a shard is, in words; null for an error that is none. */
export function problemText(error: unknown): string | null {
  if (error instanceof DamageError) return error.what;
  if (error instanceof UserError) return error.message;
  return (error as NodeJS.ErrnoException).code === 'EIO' ? 'the disk cannot read it (EIO)' : null;
}

function problemOf(
  size: number,
  entry: ShardEntry,
  sha256: string | null,
  metadata: string | null,
): string | null {
  if (size !== entry.bytes) return `it has ${size} bytes, and the index says ${entry.bytes}`;
  if (metadata !== null) return metadata;
  if (sha256 === null) return 'the disk cannot read all of it';
  return sha256 === entry.sha256 ? null : `its sha256 is ${sha256}`;
}

function rightRows(metadata: ShardMetadata, checks: RowChecks): Map<string, number> {
  const rows = new Map<string, number>();
  for (const [row, hash] of checks.found)
    if (hash === metadata.hashes[row]) rows.set(metadata.ids[row] as string, row);
  return rows;
}

function summed(
  path: string,
  entry: ShardEntry,
  ids: Iterable<string>,
  problem: string | null,
  metadata: ShardMetadata | null,
  whole: ReadonlyMap<string, number>,
  checks: RowChecks | null = null,
): Omit<ShardCheck, 'bytes'> {
  const rowOf = new Map((metadata?.ids ?? []).map((id, row) => [id, row]));
  const badRows: BadRow[] = [];
  for (const id of ids) {
    if (whole.has(id)) continue;
    const row = rowOf.get(id) ?? null;
    badRows.push({ id, row, what: rowProblem(row, problem, metadata, checks) });
  }
  return { path, entry, problem, metadata, whole, badRows };
}

function rowProblem(
  row: number | null,
  problem: string | null,
  metadata: ShardMetadata | null,
  checks: RowChecks | null,
): string {
  if (row === null)
    return problem === null ? 'the shard has no such row' : 'it is not to be found in what is left';
  const found = checks?.found.get(row);
  const expected = metadata?.hashes[row];
  if (found === undefined) return 'the file ends before its last value';
  if (found !== expected) return `its xxh64 is ${hex64(found)}, expected ${hex64(expected as bigint)}`;
  return 'its token spans cannot be verified';
}

function openOrNull(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    if (code === 'EACCES') throw new UserError(`${path} may not be read: ask its owner for read rights`);
    throw error;
  }
}
