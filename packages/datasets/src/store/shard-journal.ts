import { closeSync, existsSync, readdirSync, readFileSync, renameSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { temporaryName, writeAll } from '../base/atomic-file.ts';
import { openNewFile } from '../base/shared-folder.ts';
import { FeatureDtype } from './feature-spec.ts';
import { shardFolder, shardPath } from './layout.ts';
import { isDead, ownerOf } from './writer-lease.ts';

const UNFINISHED = 'shard.arrow';
const JOURNAL = '.rows';

const Head = z.strictObject({ split: z.string().nullable(), dtype: FeatureDtype });
const Line = z.strictObject({
  /** [offset, length] in bytes of the batch's feature values. */
  values: z.tuple([z.number().int().nonnegative(), z.number().int().positive()]),
  /** By utterance: the sha256 of what was encoded. */
  inputs: z.record(z.string(), z.string()),
});
/** The shard is whole and is about to be called after its sha256; no index may list it yet. */
const Sealed = z.strictObject({ sealed: z.string().regex(/^[0-9a-f]{64}$/) });

export type JournalHead = z.infer<typeof Head>;
export type JournalBatch = z.infer<typeof Line>;

/** Temporary name of a shard of a feature set. */
export function unfinishedName(folder: string): string {
  return temporaryName(join(shardFolder(folder), UNFINISHED));
}

/**
 * Lies beside a shard that is being written and says, line by line, which batches are in the file and of which inputs:
 * what the shard itself does not hold, and what it takes to keep the rows of a writer that was killed.
 */
export class ShardJournal {
  readonly #path: string;
  readonly #fd: number;

  /** @param shard its temporary name */
  constructor(shard: string, head: JournalHead) {
    this.#path = `${shard}${JOURNAL}`;
    this.#fd = openNewFile(this.#path);
    this.#add(head);
  }

  /** Notes a batch whose bytes the file has. */
  add(batch: JournalBatch): void {
    this.#add(batch);
  }

  /** Notes the digest that the shard's final name is made of. */
  sealed(sha256: string): void {
    this.#add({ sealed: sha256 });
  }

  #add(value: JournalHead | JournalBatch | z.infer<typeof Sealed>): void {
    writeAll(this.#fd, Buffer.from(`${JSON.stringify(value)}\n`));
  }

  /** The shard is listed, or dropped. */
  remove(): void {
    closeSync(this.#fd);
    removeIfThere(this.#path);
  }
}

/** What a journal says of a shard, and where the shard is. */
export interface Journal {
  readonly head: JournalHead;
  readonly batches: readonly JournalBatch[];
  readonly path: string;
}

/**
 * Reads the journal of an unfinished shard, or of one that was finished a moment before its writer ended. A last line that
 * was cut off is left out.
 * @returns null where it says nothing that can be used, or the shard is gone
 */
export function readJournal(shard: string): Journal | null {
  try {
    const lines = readFileSync(`${shard}${JOURNAL}`, 'utf8').split('\n').slice(0, -1);
    const [head, ...rest] = lines.map((line): unknown => JSON.parse(line));
    const sealed = Sealed.safeParse(rest.at(-1));
    const path = sealed.success ? [shard, finalPath(shard, sealed.data.sealed)].find(existsSync) : shard;
    if (path === undefined || !existsSync(path)) return null;
    const batches = (sealed.success ? rest.slice(0, -1) : rest).map((line) => Line.parse(line));
    return { head: Head.parse(head), batches, path };
  } catch {
    return null;
  }
}

function finalPath(shard: string, sha256: string): string {
  return shardPath(dirname(dirname(shard)), sha256);
}

/** Temporary names of the shards that dead writers of a feature set left with their journals. */
export function abandonedShards(folder: string): string[] {
  const shards = shardFolder(folder);
  if (!existsSync(shards)) return [];
  return readdirSync(shards)
    .filter((name) => {
      const owner = name.endsWith(JOURNAL) ? ownerOf(name) : null;
      return owner !== null && isDead(owner);
    })
    .sort()
    .map((name) => join(shards, name.slice(0, -JOURNAL.length)))
    .filter((shard) => readJournal(shard) !== null);
}

/** Whether a killed writer of the set left rows that the next one takes in. */
export function hasAbandonedRows(folder: string): boolean {
  return abandonedShards(folder).length > 0;
}

/** Names of the files that abandoned shards consist of. */
export function abandonedFiles(folder: string): ReadonlySet<string> {
  return new Set(abandonedShards(folder).flatMap((path) => [basename(path), `${basename(path)}${JOURNAL}`]));
}

/**
 * Makes an abandoned shard this process's, so that of several writers one takes it in.
 * @returns its new name, or null where another one was faster
 */
export function claimAbandoned(folder: string, shard: string): string | null {
  const own = unfinishedName(folder);
  try {
    // The journal first: a shard without one is not looked at, and is removed with its dead owner's other files.
    renameSync(`${shard}${JOURNAL}`, `${own}${JOURNAL}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  // One that has its final name already stays there.
  if (existsSync(shard)) renameSync(shard, own);
  return own;
}

/** Removes a shard that was taken in, with its journal. */
export function removeAbandoned(shard: string): void {
  for (const path of [shard, `${shard}${JOURNAL}`]) removeIfThere(path);
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
