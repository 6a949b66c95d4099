import { readFileSync, statSync } from 'node:fs';
import { UserError } from '../base/errors.ts';
import { describeDifferences } from '../store/fingerprint.ts';
import { encodeIndexPart, type ShardEntry } from '../store/index-part.ts';
import { type FeatureSetIndex, readFeatureSetIndex, uniteParts } from '../store/index-union.ts';
import { shardPath, specPath } from '../store/layout.ts';
import { diffSpecs } from '../store/shard-schema.ts';
import type { FoundFeatureSet } from '../store/store-listing.ts';
import type { CataloguedSet } from './catalogue.ts';
import { contentFile } from './outgoing.ts';
import { describe } from './publish-catalogue.ts';
import { partPathIn, type RemoteDataset, setPath, shardPathIn, specPathIn } from './remote-dataset.ts';
import type { Outgoing } from './remote.ts';
import type { SharedSet } from './share-report.ts';
import { planTransfer, type RowChoice, type TransferPlan } from './transfer-plan.ts';

/** One set with what the remote lacks of it. */
export interface PlannedSet {
  readonly set: FoundFeatureSet;
  readonly plan: TransferPlan;
  /** Shards that are really sent: the remote has not got them in full. */
  readonly missing: readonly { readonly entry: ShardEntry; readonly file: string }[];
  /** feature.json as the remote has it, or will have it. */
  readonly spec: Uint8Array;
  readonly needsSpec: boolean;
}

/** Compares a set with what the remote has of it. @throws UserError for damage on either side. */
export async function planSet(
  there: RemoteDataset,
  set: FoundFeatureSet,
  stores: readonly string[],
  choice: RowChoice,
): Promise<PlannedSet> {
  const source = readFeatureSetIndex(stores, set);
  const theirs = await there.set(set);
  if (theirs !== null) {
    const differences = diffSpecs(theirs.spec, set.spec);
    if (differences.length > 0)
      throw new UserError(
        `the feature.json of ${setPath(set)} there describes another feature: ${describeDifferences(differences)}`,
      );
  }
  const plan = planTransfer(set, source, theirs?.index ?? uniteParts([]), choice);
  const own = shardsOf(source);
  const candidates = new Map<string, ShardEntry>();
  for (const { entry } of plan.shards) candidates.set(entry.sha256, entry);
  // what the remote's index names and has lost, where it is here
  for (const entry of plan.thereShards) if (own.has(entry.sha256)) candidates.set(entry.sha256, entry);
  const missing: { entry: ShardEntry; file: string }[] = [];
  for (const entry of candidates.values())
    if (!(await there.hasShard(set, entry)))
      missing.push({ entry, file: shardPath(own.get(entry.sha256) as string, entry.sha256) });
  for (const { entry, file } of missing)
    if (statSync(file, { throwIfNoEntry: false })?.size !== entry.bytes)
      throw new UserError(`${file} is damaged or gone: run \`lsgmer features repair\`, then push again`);
  const spec = theirs?.specBytes ?? readFileSync(specPath(set.folders[0] as string));
  return { set, plan, missing, spec, needsSpec: theirs === null };
}

/** Folders by shard. */
function shardsOf({ rows }: FeatureSetIndex): Map<string, string> {
  return new Map([...rows.values()].map(({ shard, folder }) => [shard.sha256, folder]));
}

/** Shards that are sent. */
export function outgoingShards({ set, missing }: PlannedSet): Outgoing[] {
  return missing.map(({ entry: { sha256, bytes }, file }) => ({
    path: shardPathIn(set, sha256),
    bytes,
    sha256,
    source: { file },
  }));
}

/** feature.json and the index part, where the remote lacks what they say. */
export function outgoingIndex({ set, plan: { part }, spec, needsSpec }: PlannedSet): {
  specs: Outgoing[];
  parts: Outgoing[];
} {
  if (part === null) return { specs: [], parts: [] };
  return {
    specs: needsSpec ? [contentFile(specPathIn(set), spec)] : [],
    parts: [contentFile(partPathIn(set, part.part), Buffer.from(encodeIndexPart(part), 'utf8'))],
  };
}

/** What the catalogue must say of a set after this push, whatever else is there. */
export function catalogued({ set, plan: { part }, spec, needsSpec }: PlannedSet): CataloguedSet[] {
  if (part === null && needsSpec) return [];
  const { feature, fingerprint } = set;
  return [{ feature, fingerprint, spec: describe(spec), parts: part === null ? [] : [part.part] }];
}

export function sharedSet({ set, plan, missing }: PlannedSet): SharedSet {
  const going = new Set(missing.map(({ entry }) => entry.sha256));
  const sum = (entries: readonly ShardEntry[]): number =>
    entries.reduce((total, { bytes }) => total + bytes, 0);
  const spared = [...plan.shards.map(({ entry }) => entry), ...plan.thereShards].filter(
    ({ sha256 }) => !going.has(sha256),
  );
  return {
    feature: set.feature,
    fingerprint: set.fingerprint,
    rows: plan.rows,
    there: plan.there,
    shards: missing.length,
    bytes: sum(missing.map(({ entry }) => entry)),
    thereBytes: sum(spared),
    otherInput: plan.otherInput,
  };
}
