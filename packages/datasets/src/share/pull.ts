import { existsSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { UserError } from '../base/errors.ts';
import { type Reporter, silent } from '../base/reporter.ts';
import { makeFolder } from '../base/shared-folder.ts';
import { orUserError } from '../store/disk-error.ts';
import { describeDifferences } from '../store/fingerprint.ts';
import { type ShardEntry, writeIndexPart } from '../store/index-part.ts';
import { readFeatureSetIndex } from '../store/index-union.ts';
import {
  checkName,
  indexFolder,
  indexPath,
  setFolder,
  shardFolder,
  shardPath,
  specPath,
} from '../store/layout.ts';
import { diffSpecs } from '../store/shard-schema.ts';
import { markPull, unmarkPull } from '../store/stopped-pull.ts';
import { isSpareCopy, refuseRenamedSet } from '../store/misplaced-set.ts';
import { findFeatureSets, MissingSpecError } from '../store/store-listing.ts';
import { claimPart } from '../store/writer-lease.ts';
import { chooseSets, type ShareChoice } from './chosen-sets.ts';
import { download, partialPath } from './download.ts';
import { type PulledManifest, planManifest, takeManifest } from './pull-manifest.ts';
import type { ManifestWish } from './push-manifest.ts';
import { AT_ONCE } from './push.ts';
import { nothingThere, RemoteDataset, type RemoteSet, setPath, shardPathIn } from './remote-dataset.ts';
import type { Remote } from './remote.ts';
import { PATIENCE, type Patience, stopIfAsked } from './retry.ts';
import { severalOrNone } from './several.ts';
import { ByteProgress, type SharedSet, type ShareReport } from './share-report.ts';
import type { Transfer } from './small-file.ts';
import { planTransfer, type RowChoice, type TransferPlan } from './transfer-plan.ts';

export interface PullOptions extends ShareChoice {
  /** The store that is written to. */
  readonly store: string;
  /** All stores in use: what any of them has is not fetched. */
  readonly stores: readonly string[];
  readonly dataset: string;
  readonly remote: Remote;
  /** What to do when the store has another manifest (default: it stays, with a warning). */
  readonly manifest?: ManifestWish;
  readonly dryRun?: boolean;
  readonly atOnce?: number;
  readonly reporter?: Reporter;
  readonly signal?: AbortSignal;
  readonly patience?: Patience;
}

/** One set with what the store lacks of it. */
interface PlannedPull {
  readonly set: RemoteSet;
  readonly folder: string;
  readonly plan: TransferPlan;
  /** Shards that are fetched, with the place that they go to. */
  readonly missing: readonly { readonly entry: ShardEntry; readonly target: string }[];
}

/** Who is pulling into a set says so by this name among the parts of its index. */
const PULL = 'pull';

/**
 * Fetches a dataset's manifest and features from a remote, without what the store has. Every file is checked against
 * its sha256 while it comes, broken transfers go on where they broke, and each index part is written after its shards.
 * @throws UserError where the remote has no such thing, does not let us, or brings wrong bytes; Interrupted.
 */
export async function pullFeatures(options: PullOptions): Promise<ShareReport> {
  const { store, stores, dataset, remote, reporter = silent, signal, patience = PATIENCE } = options;
  checkName('dataset', dataset);
  const transfer: Transfer = { remote, patience, signal };
  const there = await RemoteDataset.open(transfer, dataset);
  const manifest = await planManifest(transfer, there, stores, store, options.manifest);
  const names = there.setNames();
  if (names.length === 0 && manifest.state === 'none') throw await nothingThere(transfer, dataset);
  const planned: PlannedPull[] = [];
  for (const name of chooseSets(names, options, remote.title)) {
    const set = await there.set(name);
    if (set !== null)
      planned.push(planPull(set, store, stores, { splits: options.splits, splitOf: manifest.splitOf }));
  }
  const shards = planned.flatMap(({ set, missing }) => missing.map((one) => ({ ...one, set })));
  const total = shards.reduce((sum, { entry }) => sum + entry.bytes, 0) + manifest.bytes;
  const report = (bytes: number, dryRun: boolean): ShareReport => ({
    dataset,
    remote: remote.title,
    manifest: manifest.state,
    sets: planned.map(pulledSet),
    bytes,
    dryRun,
  });
  if (options.dryRun === true) return report(total, true);
  checkSpace(store, shards);
  warnOfManifest(reporter, manifest, remote.title);

  let came = manifest.bytes;
  const releases: (() => void)[] = [];
  try {
    for (const { set, folder } of planned) releases.push(prepareSet(set, folder, remote.title));
    const progress = new ByteProgress(reporter, `pull ${dataset}`, total, shards.length);
    await severalOrNone(shards, options.atOnce ?? AT_ONCE, signal, async ({ set, entry, target }, signal) => {
      const path = shardPathIn(set, entry.sha256);
      await download({ remote, patience, signal }, path, entry, target, (bytes, now) => {
        progress.add(bytes);
        if (now) came += bytes;
      });
      progress.file();
    });
    stopIfAsked(signal);
    for (const { folder, plan } of planned) {
      const { part } = plan;
      if (part !== null) orUserError(folder, () => writeIndexPart(indexPath(folder, part.part), part));
      unmarkPull(folder);
    }
  } finally {
    for (const release of releases) release();
  }
  takeManifest(manifest, store);
  return report(came, false);
}

function planPull(set: RemoteSet, store: string, stores: readonly string[], choice: RowChoice): PlannedPull {
  // the remote's feature.json comes where one is missing
  const unlessMissing = (error: UserError): void => {
    if (!(error instanceof MissingSpecError) && !isSpareCopy(error)) throw error;
  };
  const known = findFeatureSets(stores, set.dataset, set.feature, unlessMissing).find(
    ({ fingerprint }) => fingerprint === set.fingerprint,
  );
  const differences = known === undefined ? [] : diffSpecs(known.spec, set.spec);
  if (differences.length > 0)
    throw new UserError(
      `feature.json of ${setPath(set)} differs between your store and the remote: ${describeDifferences(differences)}; run \`lsgmer features verify\``,
    );
  const own = readFeatureSetIndex(stores, set);
  const plan = planTransfer(set, set.index, own, choice);
  const folder = setFolder(store, set);
  const missing = new Map<string, { entry: ShardEntry; target: string }>();
  const lacks = (target: string, { bytes }: ShardEntry): boolean =>
    statSync(target, { throwIfNoEntry: false })?.size !== bytes;
  for (const { entry } of plan.shards) {
    const target = shardPath(folder, entry.sha256);
    if (lacks(target, entry)) missing.set(entry.sha256, { entry, target });
  }
  // what the store's index names and has lost
  const theirs = new Set([...set.index.rows.values()].map(({ shard }) => shard.sha256));
  for (const { folder: home, shard } of own.rows.values()) {
    const target = shardPath(home, shard.sha256);
    if (home === folder && theirs.has(shard.sha256) && !missing.has(shard.sha256) && lacks(target, shard))
      missing.set(shard.sha256, { entry: shard, target });
  }
  if (missing.size > 0) refuseRenamedSet(stores, set, 'fetched');
  return { set, folder, plan, missing: [...missing.values()] };
}

/** Folders and feature.json; says that somebody is at work here. @throws UserError where somebody else is. */
function prepareSet(set: RemoteSet, folder: string, title: string): () => void {
  return orUserError(folder, () => {
    makeFolder(indexFolder(folder));
    makeFolder(shardFolder(folder));
    const release = claimPart(indexFolder(folder), PULL);
    try {
      if (!existsSync(specPath(folder))) writeFileAtomic(specPath(folder), set.specBytes);
      markPull(folder, title);
    } catch (error) {
      release();
      throw error;
    }
    return release;
  });
}

/** Room that is left beside what is fetched. */
const SPARE_BYTES = 50e6;

function checkSpace(
  store: string,
  shards: readonly { readonly entry: ShardEntry; readonly target: string }[],
): void {
  let folder = store;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const needed = shards.reduce(
    (sum, { entry, target }) => sum + entry.bytes - sizeOf(partialPath(target)),
    0,
  );
  if (needed === 0 || bavail * bsize >= needed + SPARE_BYTES) return;
  throw new UserError(
    `${store} has room for ${gigabytes(bavail * bsize)}, and ${gigabytes(needed)} are to come: free some, choose another store with --store, or pull less (--feature, --split)`,
  );
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;

function warnOfManifest(reporter: Reporter, manifest: PulledManifest, title: string): void {
  if (manifest.state !== 'kept') return;
  reporter.warn(
    `your store has another manifest of this dataset than ${title}, and keeps it: rows whose text or recording is another one count as stale (--manifest replace takes theirs)`,
  );
}

function pulledSet({ set, plan, missing }: PlannedPull): SharedSet {
  const fetched = new Set(missing.map(({ entry }) => entry.sha256));
  const sum = (entries: readonly ShardEntry[]): number =>
    entries.reduce((total, { bytes }) => total + bytes, 0);
  const entries = [...plan.shards.map(({ entry }) => entry), ...plan.thereShards];
  return {
    feature: set.feature,
    fingerprint: set.fingerprint,
    rows: plan.rows,
    there: plan.there,
    shards: missing.length,
    bytes: sum(missing.map(({ entry }) => entry)),
    thereBytes: sum(entries.filter(({ sha256 }) => !fetched.has(sha256))),
    otherInput: plan.otherInput,
  };
}
