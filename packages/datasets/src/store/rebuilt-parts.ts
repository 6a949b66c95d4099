import type { FeatureSpec } from './feature-spec.ts';
import { findShard, type FoundShard, rebuildPart, type RebuiltPart } from './index-recovery.ts';
import type { IndexPart, ShardEntry } from './index-part.ts';
import { indexPath } from './layout.ts';
import { isDamaged, lostShards, type PartCheck, type SetCheck } from './verify.ts';

/** An index part that has to be made anew. */
export interface PartToRebuild {
  readonly name: string;
  readonly path: string;
  /** The last one takes every shard that is left; those before it what they can be told to have listed. */
  readonly last: boolean;
  /** Nothing is left of it: which shards it listed is told by what no other part has. */
  readonly gone: boolean;
}

/** The damaged parts of a set; or, where shards lost their index, one in the place of what is gone. */
export function partsToRebuild(check: SetCheck): PartToRebuild[] {
  const damaged = check.parts.filter(({ problem }) => problem !== null);
  if (damaged.length > 0)
    return damaged.map(({ name, path }, i) => ({ name, path, last: i === damaged.length - 1, gone: false }));
  if (lostShards(check).length === 0) return [];
  const taken = new Set(check.parts.map(({ name }) => name));
  let name = 'main';
  for (let i = 1; taken.has(name); i++) name = i === 1 ? 'rebuilt' : `rebuilt-${i}`;
  return [{ name, path: indexPath(check.location.folder, name), last: true, gone: true }];
}

/** Whole shards that a part made anew can list. */
export function shardsToClaim(check: SetCheck): FoundShard[] {
  if (!isDamaged(check)) return [];
  return check.unlisted
    .filter(({ whole }) => whole)
    .flatMap(({ path, sha256 }) => findShard(path, sha256) ?? []);
}

/** The set's specification: what feature.json or a listed shard says, else one of the shards that no part lists. */
export function specOf({ spec, unlisted, location }: SetCheck): FeatureSpec | null {
  if (spec !== null) return spec;
  const { dataset, feature, fingerprint } = location;
  for (const { path, sha256, whole } of unlisted) {
    const found = whole ? findShard(path, sha256)?.spec : undefined;
    if (found?.dataset === dataset && found.feature === feature && found.fingerprint === fingerprint)
      return found;
  }
  return null;
}

/** Ids that readable parts hold, with their revision. */
export function revisionsIn(parts: readonly Pick<PartCheck, 'index'>[]): Map<string, number> {
  const held = new Map<string, number>();
  for (const { index } of parts) {
    for (const [id, { revision = 0 }] of Object.entries(index?.utterances ?? {}))
      held.set(id, Math.max(revision, held.get(id) ?? 0));
  }
  return held;
}

/**
 * Makes one part anew.
 * @param found shards that are left; those that the part takes are taken out.
 * @param parts what can be read of the set's index now.
 */
export function rebuild(
  { name, path, last, gone }: PartToRebuild,
  spec: FeatureSpec,
  found: FoundShard[],
  parts: readonly Pick<PartCheck, 'index'>[],
): RebuiltPart {
  const others = revisionsIn(parts);
  if (gone)
    for (const { index } of parts)
      for (const id of Object.keys(index?.quarantined ?? {})) if (!others.has(id)) others.set(id, 0);
  const all = rebuildPart(path, name, spec, found, others);
  const index = last ? all.index : onlyNamed(all.index, all.unnamed);
  const taken = new Set(index.shards.map(({ sha256 }) => sha256));
  found.splice(0, found.length, ...found.filter(({ entry }) => !taken.has(entry.sha256)));
  const held = (ids: readonly string[]): string[] => ids.filter((id) => id in index.utterances);
  return { ...all, index, unknown: held(all.unknown), unsure: held(all.unsure) };
}

/** Takes shards that hold no utterance any more out of a part; positions follow. Pure. */
export function withoutShards(index: IndexPart, dropped: ReadonlySet<number>): IndexPart {
  const kept = index.shards.map((_, i) => i).filter((i) => !dropped.has(i));
  const position = new Map(kept.map((old, now) => [old, now]));
  const utterances = Object.fromEntries(
    Object.entries(index.utterances).map(([id, entry]) => [
      id,
      { ...entry, shard: position.get(entry.shard) as number },
    ]),
  );
  return { ...index, shards: kept.map((i) => index.shards[i] as ShardEntry), utterances };
}

/** The rows that an entry named, and the shards that hold them. */
function onlyNamed(index: IndexPart, unnamed: readonly string[]): IndexPart {
  const others = new Set(unnamed);
  const utterances = Object.fromEntries(Object.entries(index.utterances).filter(([id]) => !others.has(id)));
  const used = new Set(Object.values(utterances).map(({ shard }) => shard));
  const dropped = new Set(index.shards.map((_, i) => i).filter((i) => !used.has(i)));
  return withoutShards({ ...index, utterances }, dropped);
}
