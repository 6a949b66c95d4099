import { sha256Hex } from '../base/canonical-json.ts';
import { UserError } from '../base/errors.ts';
import { encodeIndexPart, type IndexPart, type ShardEntry } from '../store/index-part.ts';
import { type FeatureSetIndex, type HeldRow, supersedes } from '../store/index-union.ts';
import type { FeatureSetName } from '../store/layout.ts';
import { FORMAT } from '../store/shard-schema.ts';

/** Which rows of a set are meant; all where nothing is said. */
export interface RowChoice {
  /** Only rows of these splits. */
  readonly splits?: readonly string[] | undefined;
  /** Only these utterances. */
  readonly ids?: ReadonlySet<string> | undefined;
  /** Split of an utterance: tells where quarantined ones belong, which no shard does. */
  readonly splitOf?: ((id: string) => string | null) | undefined;
}

/** What the other side lacks of one set. */
export interface TransferPlan {
  /** Rows that go over. */
  readonly rows: number;
  /** Rows that the other side has already. */
  readonly there: number;
  /** Of these, rows that were computed from another input here: they stay as they are there. */
  readonly otherInput: readonly string[];
  /** Shards that hold rows that go over, with the folder that they lie in. */
  readonly shards: readonly { readonly entry: ShardEntry; readonly folder: string }[];
  /** Shards of rows that are there already. */
  readonly thereShards: readonly ShardEntry[];
  /** Index part that says it all; null where there is nothing to say. */
  readonly part: IndexPart | null;
}

/**
 * Compares what a set holds on two sides, row by row. A row goes over when the other side has none, an older
 * revision, or one of unknown input; rows of equal revision stay as they are: the first complete index wins. Pure.
 * @throws UserError for a split that no shard has.
 */
export function planTransfer(
  name: FeatureSetName,
  source: FeatureSetIndex,
  target: FeatureSetIndex,
  choice: RowChoice = {},
): TransferPlan {
  const { splits, ids, splitOf = () => null } = choice;
  if (splits !== undefined) checkSplits(name, source, splits);
  const meant = (id: string, split: string | null): boolean =>
    (ids === undefined || ids.has(id)) &&
    (splits === undefined || (split !== null && splits.includes(split)));
  const going = new Map<string, HeldRow>();
  const thereShards = new Map<string, ShardEntry>();
  const otherInput: string[] = [];
  let there = 0;
  for (const [id, row] of source.rows) {
    if (!meant(id, row.shard.split)) continue;
    const rival = target.rows.get(id);
    if (rival !== undefined && !supersedes(row, rival)) {
      there++;
      thereShards.set(rival.shard.sha256, rival.shard);
      if (rival.input !== row.input && rival.revision === row.revision) otherInput.push(id);
    } else if ((target.quarantined.get(id)?.revision ?? -1) <= row.revision) going.set(id, row);
  }
  const quarantined: IndexPart['quarantined'] = {};
  for (const [id, { input, reason, revision }] of source.quarantined) {
    const rival = target.rows.get(id) ?? target.quarantined.get(id);
    if (!meant(id, splitOf(id)) || (rival !== undefined && rival.revision >= revision)) continue;
    quarantined[id] = { input, reason, ...revised(revision) };
  }
  const shards = new Map<string, { entry: ShardEntry; folder: string }>();
  for (const { shard, folder } of going.values())
    if (!shards.has(shard.sha256)) shards.set(shard.sha256, { entry: shard, folder });
  const sorted = [...shards.values()].sort((a, b) => (a.entry.sha256 < b.entry.sha256 ? -1 : 1));
  const nothing = going.size === 0 && Object.keys(quarantined).length === 0;
  return {
    rows: going.size,
    there,
    otherInput,
    shards: sorted,
    thereShards: [...thereShards.values()],
    part: nothing
      ? null
      : namedPart(
          name,
          going,
          sorted.map(({ entry }) => entry),
          quarantined,
        ),
  };
}

const revised = (revision: number): { revision?: number } => (revision > 0 ? { revision } : {});

/** Names of parts that went over begin so; what follows is the beginning of the sha256 of their content. */
const SHARED_PART = 'p-';
const DIGITS = 16;

function namedPart(
  { dataset, feature, fingerprint }: FeatureSetName,
  rows: ReadonlyMap<string, HeldRow>,
  shards: ShardEntry[],
  quarantined: IndexPart['quarantined'],
): IndexPart {
  const position = new Map(shards.map(({ sha256 }, i) => [sha256, i]));
  const utterances = Object.fromEntries(
    [...rows].map(([id, { input, revision, shard }]) => [
      id,
      { input, shard: position.get(shard.sha256) as number, ...revised(revision) },
    ]),
  );
  const part = {
    format: FORMAT,
    dataset,
    feature,
    fingerprint,
    part: '',
    shards,
    utterances,
    quarantined,
  } as const;
  return { ...part, part: contentName(part) };
}

/** The name that a part has by its content: two that say the same have the same name. */
function contentName(part: IndexPart): string {
  return `${SHARED_PART}${sha256Hex(encodeIndexPart({ ...part, part: '' })).slice(0, DIGITS)}`;
}

/** True for a part that was named by its content, and still is what its name says. */
export const isNamedByContent = (part: IndexPart): boolean => part.part === contentName(part);

function checkSplits(
  { feature }: FeatureSetName,
  { rows }: FeatureSetIndex,
  splits: readonly string[],
): void {
  const there = [...new Set([...rows.values()].map(({ shard }) => shard.split))].filter(
    (split) => split !== null,
  );
  const unknown = splits.filter((split) => !there.includes(split));
  if (unknown.length === 0) return;
  throw new UserError(
    there.length === 0
      ? `${feature} has no splits: leave --split out`
      : `${feature} has no split ${unknown.join(', ')}: it has ${there.sort().join(', ')}`,
  );
}
