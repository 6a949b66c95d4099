import { existsSync } from 'node:fs';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { type Reporter, silent } from '../base/reporter.ts';
import { orUserError } from '../store/disk-error.ts';
import { indexFolder, indexPath, shardPath, specPath } from '../store/layout.ts';
import { readFeatureSetIndex } from '../store/index-union.ts';
import { writeIndexPart } from '../store/index-part.ts';
import { setTitle } from '../store/set-location.ts';
import { moveToTrash } from '../store/trash.ts';
import type { SetCheck } from '../store/verify.ts';
import { claimPart } from '../store/writer-lease.ts';
import { download } from './download.ts';
import { nothingThere, RemoteDataset, shardPathIn } from './remote-dataset.ts';
import type { Remote } from './remote.ts';
import { PATIENCE, type Patience } from './retry.ts';
import { ByteProgress } from './share-report.ts';
import type { Transfer } from './small-file.ts';
import { isNamedByContent, planTransfer } from './transfer-plan.ts';

export interface RefetchOptions {
  readonly remote: Remote;
  /** Names the day in the trash. */
  readonly now: Date;
  readonly reporter?: Reporter;
  readonly signal?: AbortSignal;
  readonly patience?: Patience;
}

/** What was mended by copies from elsewhere. */
export interface RefetchReport {
  /** Files that are whole again. */
  readonly files: readonly string[];
  readonly bytes: number;
}

/**
 * Replaces exactly the damaged files of a set by the remote's copies of the same content: shards by their sha256,
 * index parts that were pulled, feature.json. A copy takes the place of a damaged shard in one step, so that readers see
 * the one or the other; other damaged files go to the trash. What the remote does not have stays for `repairSet`.
 * @param check what `verifySet` has just found.
 * @throws UserError where the remote does not let us, or brings wrong bytes; Interrupted.
 */
export async function refetchDamaged(check: SetCheck, options: RefetchOptions): Promise<RefetchReport> {
  const { remote, now, reporter = silent, signal, patience = PATIENCE } = options;
  const { location } = check;
  const { store, dataset, folder } = location;
  const transfer: Transfer = { remote, patience, signal };
  const there = await RemoteDataset.open(transfer, dataset);
  if (there.setNames().length === 0) throw await nothingThere(transfer, dataset);
  const set = await there.set(location);
  if (set === null) return { files: [], bytes: 0 };
  const files: string[] = [];
  let bytes = 0;
  const release = orUserError(folder, () => claimPart(indexFolder(folder), 'pull'));
  try {
    if (check.specProblem !== null) {
      if (existsSync(specPath(folder))) moveToTrash(store, dataset, specPath(folder), now);
      orUserError(folder, () => writeFileAtomic(specPath(folder), set.specBytes));
      files.push(specPath(folder));
    }
    for (const { name, path, problem } of check.parts) {
      const copy = set.index.parts.find(({ index }) => index.part === name)?.index;
      if (problem === null || copy === undefined || !isNamedByContent(copy)) continue;
      moveToTrash(store, dataset, path, now);
      orUserError(folder, () => writeIndexPart(path, copy));
      files.push(path);
    }
    const damaged = check.shards.filter(({ problem }) => problem !== null);
    // shards that only a damaged part named are unlisted here; their names say what they should be
    const lost = check.unlisted.filter(({ whole }) => !whole);
    const known = new Map([...set.index.rows.values()].map(({ shard }) => [shard.sha256, shard]));
    const wanted = [...damaged.map(({ entry }) => entry.sha256), ...lost.map(({ sha256 }) => sha256)].flatMap(
      (sha256) => known.get(sha256) ?? [],
    );
    const total = wanted.reduce((sum, entry) => sum + entry.bytes, 0);
    const progress = new ByteProgress(reporter, `pull ${setTitle(location)}`, total, wanted.length);
    for (const entry of wanted) {
      const target = shardPath(folder, entry.sha256);
      await download(transfer, shardPathIn(set, entry.sha256), entry, target, (n) => progress.add(n));
      progress.file();
      bytes += entry.bytes;
      files.push(target);
    }
  } finally {
    release();
  }
  return { files, bytes };
}

/**
 * Fetches rows that a repair lost, where the remote has them in other shards.
 * @param ids of the lost rows.
 * @returns ids that are there again.
 */
export async function refetchRows(
  check: SetCheck,
  ids: ReadonlySet<string>,
  { remote, signal, patience = PATIENCE }: RefetchOptions,
): Promise<string[]> {
  const { location } = check;
  const { store, folder } = location;
  const transfer: Transfer = { remote, patience, signal };
  const set = await (await RemoteDataset.open(transfer, location.dataset)).set(location);
  if (set === null) return [];
  const { part, shards } = planTransfer(location, set.index, readFeatureSetIndex([store], location), { ids });
  if (part === null) return [];
  const whole = new Set([
    ...check.unlisted.filter((one) => one.whole).map(({ sha256 }) => sha256),
    ...check.shards.filter(({ problem }) => problem === null).map(({ entry }) => entry.sha256),
  ]);
  const release = orUserError(folder, () => claimPart(indexFolder(folder), 'pull'));
  try {
    for (const { entry } of shards) {
      if (whole.has(entry.sha256)) continue;
      const target = shardPath(folder, entry.sha256);
      await download(transfer, shardPathIn(set, entry.sha256), entry, target, () => {});
    }
    orUserError(folder, () => writeIndexPart(indexPath(folder, part.part), part));
  } finally {
    release();
  }
  return Object.keys(part.utterances).sort();
}
