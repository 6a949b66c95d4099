import { UserError, UserErrors } from '../base/errors.ts';
import { type Reporter, silent } from '../base/reporter.ts';
import { type Manifest, readManifest } from '../manifest/manifest-file.ts';
import { isSpareCopy } from '../store/misplaced-set.ts';
import { findFeatureSets, type FoundFeatureSet, listFeatures } from '../store/store-listing.ts';
import { shardsWithoutIndex } from '../store/unlisted-shards.ts';
import { type Catalogue, cataloguePath, encodeCatalogue } from './catalogue.ts';
import { chooseSets, type ShareChoice } from './chosen-sets.ts';
import { contentFile } from './outgoing.ts';
import { catalogueOf, describe, publishCatalogue } from './publish-catalogue.ts';
import { type ManifestWish, manifestState, outgoingManifest, refuseLeak } from './push-manifest.ts';
import {
  catalogued,
  outgoingIndex,
  outgoingShards,
  type PlannedSet,
  planSet,
  sharedSet,
} from './push-plan.ts';
import { RemoteDataset } from './remote-dataset.ts';
import type { Outgoing, Remote } from './remote.ts';
import { PATIENCE, type Patience } from './retry.ts';
import { ByteProgress, type ShareReport } from './share-report.ts';
import type { Transfer } from './small-file.ts';
import type { RowChoice } from './transfer-plan.ts';
import { sendAll, sendAtOneStroke } from './upload.ts';

export interface PushOptions extends ShareChoice {
  /** Read in this order. */
  readonly stores: readonly string[];
  readonly dataset: string;
  readonly remote: Remote;
  /** Only people who may have a restricted corpus can read the remote: the caller's word for it. */
  readonly private?: boolean | undefined;
  /** What to do when the remote has another manifest (default: nothing is sent). */
  readonly manifest?: ManifestWish;
  readonly dryRun?: boolean;
  /** Files that are sent at the same time. */
  readonly atOnce?: number;
  readonly reporter?: Reporter;
  readonly signal?: AbortSignal;
  readonly patience?: Patience;
}

const NOTHING_SENT = 'nothing was sent; --feature sends the others, one at a time';

/** Files that go over at the same time. */
export const AT_ONCE = 4;

/**
 * Sends a dataset's manifest and features to a remote, without what it has. Shards first; then the remote is looked at
 * again, so that of two pushers at once the first complete index wins; index parts, manifest and catalogue last, so that
 * a reader never sees half a set. Stopped at any moment, the same call goes on.
 * @throws UserError (restricted corpus without `private`, another manifest, damage, what the remote refuses); Interrupted.
 */
export async function pushFeatures(options: PushOptions): Promise<ShareReport> {
  const { stores, dataset, remote, reporter = silent, signal, patience = PATIENCE } = options;
  const transfer: Transfer = { remote, patience, signal };
  const manifest = readManifest(stores, dataset);
  if (!remote.writable)
    throw new UserError(
      remote.refusal ??
        `${remote.title} can only be pulled from: push to a folder, S3, WebDAV or Hugging Face`,
    );
  await refuseLeak(remote, manifest, options.private, signal);
  const before = await RemoteDataset.open(transfer, dataset);
  const state = await manifestState(before, manifest, options.manifest, remote.title);
  const sets = meantSets(options);
  const choice: RowChoice = { splits: options.splits, splitOf: splitsOf(manifest) };
  const planned: PlannedSet[] = [];
  for (const set of sets) planned.push(await planSet(before, set, stores, choice));
  const described = await outgoingManifest(before, manifest, state);
  const shards = planned.flatMap(outgoingShards);
  const total = [...shards, ...described].reduce((sum, { bytes }) => sum + bytes, 0);
  const report = (bytes: number, dryRun: boolean): ShareReport => ({
    dataset,
    remote: remote.title,
    manifest: state,
    sets: planned.map(sharedSet),
    bytes,
    dryRun,
  });
  if (options.dryRun === true) return report(total, true);
  await remote.sweep?.();

  const progress = new ByteProgress(reporter, `push ${dataset}`, total, shards.length + described.length);
  const atOnce = options.atOnce ?? AT_ONCE;
  if (remote.commit !== undefined)
    return report(await commitAll(transfer, before, planned, [...shards, ...described], progress), false);
  await sendAll(transfer, shards, atOnce, progress);
  // what others completed meanwhile stays as it is
  const after = shards.length > 0 ? await RemoteDataset.open(transfer, dataset) : before;
  const stateNow = await manifestState(after, manifest, options.manifest, remote.title);
  const stillDescribed = stateNow === state ? described : [];
  const now: PlannedSet[] = [];
  for (const { set } of planned) now.push(await planSet(after, set, stores, choice));
  const indexes = now.map(outgoingIndex);
  const specs = indexes.flatMap((one) => one.specs);
  const parts = indexes.flatMap((one) => one.parts);
  await sendAll(transfer, stillDescribed.slice(0, -1), 1, progress);
  await sendAll(transfer, specs, atOnce);
  await sendAll(transfer, parts, atOnce);
  await sendAll(transfer, stillDescribed.slice(-1), 1, progress);
  const own = ownCatalogue(dataset, now, stillDescribed);
  const listed = await publishCatalogue(transfer, dataset, own);
  const small = [...specs, ...parts].reduce((sum, { bytes }) => sum + bytes, 0);
  return report(total + small + listed, false);
}

/** One commit that holds everything, catalogue included. */
async function commitAll(
  transfer: Transfer,
  before: RemoteDataset,
  planned: readonly PlannedSet[],
  files: readonly Outgoing[],
  progress: ByteProgress,
): Promise<number> {
  const { dataset } = before;
  const indexes = planned.map(outgoingIndex).flatMap(({ specs, parts }) => [...specs, ...parts]);
  const all = [...files, ...indexes];
  if (all.length === 0) return 0;
  const catalogue = await catalogueOf(before, ownCatalogue(dataset, planned, files));
  all.push(contentFile(cataloguePath(dataset), encodeCatalogue(catalogue)));
  const names = planned.map(({ set }) => set.feature).join(', ') || 'manifest';
  await sendAtOneStroke(transfer, all, progress, `${dataset}: ${names} (lsgmer push)`);
  return all.reduce((sum, { bytes }) => sum + bytes, 0);
}

function ownCatalogue(
  dataset: string,
  planned: readonly PlannedSet[],
  described: readonly Outgoing[],
): Catalogue {
  const last = described.at(-1);
  const manifest = last !== undefined && 'content' in last.source ? describe(last.source.content) : null;
  return { format: 1, dataset, manifest, sets: planned.flatMap(catalogued) };
}

/**
 * The sets to be sent: what is not meant may be as it likes, and a copy beside its original is told only.
 * @throws UserErrors for each of them that cannot be read
 */
function meantSets(options: PushOptions): FoundFeatureSet[] {
  const { stores, dataset, reporter = silent } = options;
  const [name] = options.feature?.split('@', 1) ?? [];
  const problems: string[] = [];
  const isMeant = (feature: string): boolean => name === undefined || feature === name;
  const sets = listFeatures(stores, dataset).flatMap((feature) =>
    findFeatureSets(stores, dataset, feature, (error) => {
      if (isSpareCopy(error)) reporter.warn(error.message);
      else if (isMeant(feature)) problems.push(error.message);
    }),
  );
  for (const { folders } of sets.filter((set) => isMeant(set.feature)))
    for (const folder of folders)
      problems.push(...[shardsWithoutIndex(folder)].filter((line) => line !== null));
  if (problems.length > 0) throw new UserErrors([...problems, NOTHING_SENT]);
  return chooseSets(sets, options, stores.join(', '));
}

function splitsOf({ utterances }: Manifest): (id: string) => string | null {
  const byId = new Map(utterances.map(({ id, split }) => [id, split]));
  return (id) => byId.get(id) ?? null;
}
