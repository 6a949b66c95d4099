import { copyFileSync, existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { UserError } from '../base/errors.ts';
import { makeFolder } from '../base/shared-folder.ts';
import { RowCopier } from './copy-rows.ts';
import { orUserError } from './disk-error.ts';
import { DEFAULT_SHARD_BYTES } from './feature-set-writer.ts';
import type { FeatureSpec } from './feature-spec.ts';
import type { RebuiltPart } from './index-recovery.ts';
import { type IndexPart, readIndexPart, type ShardEntry, writeIndexPart } from './index-part.ts';
import { indexFolder, shardFolder, shardPath, specPath } from './layout.ts';
import { partsToRebuild, rebuild, shardsToClaim, specOf, withoutShards } from './rebuilt-parts.ts';
import type { SetLocation } from './set-location.ts';
import type { ShardCheck } from './shard-check.ts';
import { dayOf, moveToTrash, trashFolder } from './trash.ts';
import { checkParts, isDamaged, type PartCheck, type SetCheck } from './verify.ts';
import { abandonedFiles } from './shard-journal.ts';
import { claimPart, removeDeadFiles } from './writer-lease.ts';

/** An index part made anew. */
export interface RebuiltRecord {
  readonly name: string;
  readonly rows: number;
  /** Rows that are stale because nobody knows what they were computed from. */
  readonly unknownInputs: number;
  /** Rows of older shards: what they were computed from was read from the damaged file. */
  readonly unsureInputs: number;
}

function recordOf({ index, unknown, unsure }: RebuiltPart): RebuiltRecord {
  const rows = Object.keys(index.utterances).length;
  return { name: index.part, rows, unknownInputs: unknown.length, unsureInputs: unsure.length };
}

/** What a repair would do, or did. */
export interface RepairReport {
  readonly location: SetLocation;
  /** feature.json is written anew. */
  readonly spec: boolean;
  readonly parts: readonly RebuiltRecord[];
  /** Damaged files taken out of use. */
  readonly removed: readonly string[];
  /** Rows of damaged shards that were whole and are kept. */
  readonly salvaged: number;
  /**
   * Utterances to be computed again, sorted: their row is gone, or nobody knows what it was computed from. Where inputs
   * come from a damaged file, compare all rows with the manifest (`planExtraction`).
   */
  readonly redo: readonly string[];
  /** What was left alone, and why. */
  readonly skipped: readonly string[];
}

/** What a repair would do. Reads what it has to, writes nothing. */
export function planRepair(check: SetCheck): RepairReport {
  const bad = badShards(check);
  const rebuilt = planParts(check);
  const feature = check.specProblem === null ? [] : [specPath(check.location.folder)];
  return {
    location: check.location,
    spec: check.specProblem !== null && specOf(check) !== null,
    parts: rebuilt.map(recordOf),
    removed: [
      ...feature,
      ...partsToRebuild(check).map(({ path }) => path),
      ...bad.filter(({ problem }) => problem !== null).map(({ path }) => path),
      ...check.unlisted.filter(({ whole }) => !whole).map(({ path }) => path),
    ].filter((path) => existsSync(path)),
    salvaged: bad.reduce((sum, shard) => sum + keptRows(check, shard), 0),
    redo: [
      ...new Set([
        ...bad.flatMap(({ badRows }) => badRows.map(({ id }) => id)),
        ...rebuilt.flatMap(({ unknown, lost }) => [...unknown, ...lost]),
      ]),
    ].sort(),
    skipped: [],
  };
}

function planParts(check: SetCheck): RebuiltPart[] {
  const spec = specOf(check);
  if (spec === null) return [];
  const found = shardsToClaim(check);
  const parts: Pick<PartCheck, 'index'>[] = [...check.parts];
  return partsToRebuild(check).map((part) => {
    const rebuilt = rebuild(part, spec, found, parts);
    parts.push(rebuilt);
    return rebuilt;
  });
}

const badShards = (check: SetCheck): ShardCheck[] =>
  check.shards.filter(({ problem, badRows }) => problem !== null || badRows.length > 0);

/** Rows of a damaged shard that the index uses and that are whole. */
function keptRows({ parts }: SetCheck, { entry, whole, problem }: ShardCheck): number {
  if (problem === null) return 0;
  let kept = 0;
  for (const { index } of parts) {
    if (!index) continue;
    const position = index.shards.findIndex(({ sha256 }) => sha256 === entry.sha256);
    for (const [id, { shard }] of Object.entries(index.utterances))
      if (shard === position && whole.has(id)) kept++;
  }
  return kept;
}

export interface RepairOptions {
  /** Names the day in the trash. */
  readonly now: Date;
  readonly shardBytes?: number;
}

/**
 * Mends a feature set in one store, so that everything its index still names is whole. Rows that are whole in a
 * damaged shard are copied to a new one; damaged files go to the trash; a damaged index part, and feature.json,
 * are made anew from the shards. Killed at any moment, it loses nothing, and the next one goes on. Parts that
 * somebody is writing are left alone.
 * @param check what `verifySet` has just found.
 * @throws UserError when the store can't be written.
 */
export function repairSet(
  check: SetCheck,
  { now, shardBytes = DEFAULT_SHARD_BYTES }: RepairOptions,
): RepairReport {
  const { location } = check;
  return orUserError(location.folder, () => {
    if (!isDamaged(check) && check.unlisted.every(({ whole }) => whole)) return planRepair(check);
    const repair = new Repair(check, now, shardBytes);
    // The next writer takes these in.
    const kept = abandonedFiles(location.folder);
    for (const place of [location.folder, indexFolder(location.folder), shardFolder(location.folder)])
      removeDeadFiles(place, kept);
    repair.mendSpec();
    repair.rebuildParts();
    repair.mendParts();
    repair.sweepDamaged();
    return repair.report();
  });
}

class Repair {
  readonly #check: SetCheck;
  readonly #now: Date;
  readonly #shardBytes: number;
  #spec: FeatureSpec | null;
  #specWritten = false;
  readonly #parts: RebuiltRecord[] = [];
  readonly #removed: string[] = [];
  readonly #redo = new Set<string>();
  readonly #skipped: string[] = [];
  #salvaged = 0;

  constructor(check: SetCheck, now: Date, shardBytes: number) {
    this.#check = check;
    this.#spec = check.spec;
    this.#now = now;
    this.#shardBytes = shardBytes;
  }

  get #folder(): string {
    return this.#check.location.folder;
  }

  /** feature.json says what the shards say; where neither tells, it goes, and the next extraction writes it. */
  mendSpec(): void {
    if (this.#check.specProblem === null) return;
    this.#spec = specOf(this.#check);
    const path = specPath(this.#folder);
    if (existsSync(path)) this.#copyToTrash(path);
    if (this.#spec === null) {
      if (existsSync(path)) this.#trash(path);
      return;
    }
    writeFileAtomic(path, `${JSON.stringify(this.#spec, null, 2)}\n`);
    this.#specWritten = true;
  }

  rebuildParts(): void {
    const spec = this.#spec;
    const found = shardsToClaim(this.#check);
    for (const part of partsToRebuild(this.#check)) {
      this.#holding(part.name, () => {
        if (existsSync(part.path)) this.#copyToTrash(part.path);
        if (spec === null) {
          this.#trash(part.path);
          return;
        }
        const rebuilt = rebuild(part, spec, found, checkParts(this.#check.location));
        writeIndexPart(part.path, rebuilt.index);
        for (const id of [...rebuilt.unknown, ...rebuilt.lost]) this.#redo.add(id);
        this.#parts.push(recordOf(rebuilt));
      });
    }
  }

  mendParts(): void {
    const bad = badShards(this.#check);
    if (bad.length === 0) return;
    for (const { name, path, index } of this.#check.parts) {
      if (index === null || !bad.some((shard) => lists(index, shard))) continue;
      this.#holding(name, () => {
        const mended = this.#mendPart(readIndexPart(path), bad);
        writeIndexPart(path, mended);
      });
    }
  }

  /** A part without the damaged shards: their whole rows point to new shards, the others are gone. */
  #mendPart(index: IndexPart, bad: readonly ShardCheck[]): IndexPart {
    const shards: ShardEntry[] = [...index.shards];
    const utterances = { ...index.utterances };
    const dropped = new Set<number>();
    for (const shard of bad) {
      const position = index.shards.findIndex(({ sha256 }) => sha256 === shard.entry.sha256);
      if (position < 0) continue;
      const ids = Object.keys(utterances).filter((id) => utterances[id]?.shard === position);
      const whole = ids.filter((id) => shard.whole.has(id));
      for (const id of ids) {
        if (shard.whole.has(id)) continue;
        delete utterances[id];
        this.#redo.add(id);
      }
      if (shard.problem === null) continue;
      dropped.add(position);
      for (const copied of this.#salvage(shard, whole, index)) {
        const at = shards.push(copied.entry) - 1;
        for (const id of copied.ids) utterances[id] = { ...(utterances[id] as { input: string }), shard: at };
        this.#salvaged += copied.ids.length;
      }
    }
    return withoutShards({ ...index, shards, utterances }, dropped);
  }

  #salvage(shard: ShardCheck, ids: readonly string[], index: IndexPart): ReturnType<RowCopier['finish']> {
    if (ids.length === 0 || shard.metadata === null || this.#spec === null) return [];
    const copier = new RowCopier(this.#folder, this.#spec, this.#shardBytes);
    try {
      copier.copy(
        { path: shard.path, entry: shard.entry, metadata: shard.metadata, index },
        ids.map((id) => shard.whole.get(id) as number).sort((a, b) => a - b),
      );
      return copier.finish();
    } catch (error) {
      copier.discard();
      throw error;
    }
  }

  /** Damaged shards that no part names any more go to the trash. */
  sweepDamaged(): void {
    const named = new Set(
      checkParts(this.#check.location).flatMap(
        ({ index }) => index?.shards.map(({ sha256 }) => sha256) ?? [],
      ),
    );
    const damaged = [
      ...this.#check.shards.filter(({ problem }) => problem !== null).map(({ entry }) => entry.sha256),
      ...this.#check.unlisted.filter(({ whole }) => !whole).map(({ sha256 }) => sha256),
    ];
    for (const sha256 of damaged) {
      const path = shardPath(this.#folder, sha256);
      if (!named.has(sha256) && existsSync(path)) this.#trash(path);
    }
  }

  #holding(part: string, work: () => void): void {
    let release: () => void;
    try {
      release = claimPart(indexFolder(this.#folder), part);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#skipped.push(error.message);
      return;
    }
    try {
      work();
    } finally {
      release();
    }
  }

  #trash(path: string): void {
    const { store, dataset } = this.#check.location;
    if (moveToTrash(store, dataset, path, this.#now) !== null) this.#removed.push(path);
  }

  /** The damaged file stays under its name until the new one replaces it as a whole. */
  #copyToTrash(path: string): void {
    const { store, dataset, feature, fingerprint } = this.#check.location;
    const day = join(trashFolder(store, dataset), dayOf(this.#now), feature, fingerprint);
    const folder = join(day, basename(dirname(path)) === 'index' ? 'index' : '');
    makeFolder(folder);
    let target = join(folder, basename(path));
    for (let i = 2; existsSync(target); i++) target = join(folder, `${basename(path)}.${i}`);
    copyFileSync(path, target);
    this.#removed.push(path);
  }

  report(): RepairReport {
    return {
      location: this.#check.location,
      spec: this.#specWritten,
      parts: this.#parts,
      removed: this.#removed,
      salvaged: this.#salvaged,
      redo: [...this.#redo].sort(),
      skipped: this.#skipped,
    };
  }
}

const lists = (index: IndexPart, { entry }: ShardCheck): boolean =>
  index.shards.some(({ sha256 }) => sha256 === entry.sha256);
