import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { type IndexPart, readIndexPart, type ShardEntry, UNKNOWN_INPUT } from './index-part.ts';
import { type FeatureSetName, indexFolder, setFolder } from './layout.ts';

/** One index part and the folder (of one store) whose shards it describes. */
export interface LocatedPart {
  readonly folder: string;
  readonly index: IndexPart;
}

/** A row that can be read. */
export interface HeldRow {
  /** sha256 of what was encoded. */
  readonly input: string;
  readonly revision: number;
  /** Folder of the feature set in the store that has the shard. */
  readonly folder: string;
  readonly shard: ShardEntry;
}

/** An utterance that could not be computed. */
export interface QuarantinedRow {
  readonly input: string;
  readonly revision: number;
  readonly reason: string;
}

/** What a feature set holds, all stores and parts together. An id is in one of the two maps at most. */
export interface FeatureSetIndex {
  readonly rows: ReadonlyMap<string, HeldRow>;
  readonly quarantined: ReadonlyMap<string, QuarantinedRow>;
  readonly parts: readonly LocatedPart[];
}

/**
 * Unites index parts, given in reading order (stores in order, then parts by name). Where several hold an
 * utterance: the highest revision wins, then a computed row over a quarantined one, then one of known input, then the
 * earlier part.
 */
export function uniteParts(parts: readonly LocatedPart[]): FeatureSetIndex {
  const rows = new Map<string, HeldRow>();
  const quarantined = new Map<string, QuarantinedRow>();
  for (const { folder, index } of parts) {
    for (const [id, { shard, input, revision = 0 }] of Object.entries(index.utterances)) {
      const rival = rows.get(id);
      if (rival && !supersedes({ input, revision }, rival)) continue;
      rows.set(id, { input, revision, folder, shard: index.shards[shard] as ShardEntry });
    }
    for (const [id, { reason, input, revision = 0 }] of Object.entries(index.quarantined)) {
      const rival = quarantined.get(id);
      if (rival && rival.revision >= revision) continue;
      quarantined.set(id, { input, revision, reason });
    }
  }
  for (const [id, { revision }] of quarantined) {
    const row = rows.get(id);
    if (!row) continue;
    if (row.revision >= revision) quarantined.delete(id);
    else rows.delete(id);
  }
  return { rows, quarantined, parts };
}

/**
 * Reads every index part of a feature set in all stores. Empty where none of them has the set.
 * @throws UserError for a damaged part, or one that belongs to another set.
 */
export function readFeatureSetIndex(stores: readonly string[], set: FeatureSetName): FeatureSetIndex {
  return uniteParts(stores.flatMap((store) => readParts(setFolder(store, set), set)));
}

/** True for a row of a later part that takes the place of an earlier one's: newer, or of known input where that one's is lost. */
export function supersedes(
  row: Pick<HeldRow, 'input' | 'revision'>,
  rival: Pick<HeldRow, 'input' | 'revision'>,
): boolean {
  if (row.revision !== rival.revision) return row.revision > rival.revision;
  return rival.input === UNKNOWN_INPUT && row.input !== UNKNOWN_INPUT;
}

/** Parts may be merged while they are read: one that was listed and is gone has its rows in another one. */
const MOST_LOOKS = 20;

function readParts(folder: string, set: FeatureSetName): LocatedPart[] {
  for (let look = 1; ; look++) {
    try {
      return readPartsOnce(folder, set);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || look === MOST_LOOKS) throw error;
    }
  }
}

function readPartsOnce(folder: string, set: FeatureSetName): LocatedPart[] {
  const parts = indexFolder(folder);
  if (!existsSync(parts)) return [];
  const names = readdirSync(parts).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
  return names.sort().map((name) => {
    const path = join(parts, name);
    const index = readIndexPart(path);
    const said = `${index.dataset}/${index.feature}/${index.fingerprint}, part ${index.part}`;
    const expected = `${set.dataset}/${set.feature}/${set.fingerprint}, part ${name.slice(0, -5)}`;
    if (said !== expected) {
      throw new UserError(
        `${path} belongs to ${said}, and lies where ${expected} is expected: move it back, or remove it`,
      );
    }
    return { folder, index };
  });
}
