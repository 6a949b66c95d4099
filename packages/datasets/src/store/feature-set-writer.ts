import { existsSync, readFileSync } from 'node:fs';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { UserError } from '../base/errors.ts';
import { makeFolder } from '../base/shared-folder.ts';
import { ID_PATTERN } from '../manifest/utterance.ts';
import { abandonedRows } from './abandoned-rows.ts';
import { orUserError } from './disk-error.ts';
import { FeatureSpec, type FeatureDtype, type FeatureRow } from './feature-spec.ts';
import { describeDifferences, fingerprintOf } from './fingerprint.ts';
import { FeatureValueError } from './half.ts';
import { type IndexPart, readIndexPart, writeIndexPart } from './index-part.ts';
import { type FeatureSetIndex, readFeatureSetIndex } from './index-union.ts';
import { checkName, indexFolder, indexPath, setFolder, shardFolder, specPath } from './layout.ts';
import { misplacedSet } from './misplaced-set.ts';
import { assertLittleEndian } from './row-hash.ts';
import { diffSpecs, FORMAT, parseSpec } from './shard-schema.ts';
import { abandonedShards, claimAbandoned, removeAbandoned } from './shard-journal.ts';
import { MAX_SHARD_BYTES, type Settling, ShardWriter } from './shard-writer.ts';
import { claimPart, removeDeadFiles } from './writer-lease.ts';

export const DEFAULT_SHARD_BYTES = 250e6;
/** Seconds that a row waits for its batch to be full, at most. */
const SETTLE_SECONDS = 20;

export interface FeatureSetWriterOptions {
  /** Folder of the store that is written to (`firstWritableStore` picks one of several). */
  readonly store: string;
  /** Further stores of the same set that are only read: a changed input found there gets the next revision. */
  readonly readStores?: readonly string[];
  readonly spec: FeatureSpec;
  /** Name of this writer's index part; one writer at a time holds a part. */
  readonly part: string;
  /** A shard ends once it has this many bytes (default 250 MB). */
  readonly shardBytes?: number;
  /**
   * What to do with a finite value beyond float16's range: refuse the row (default), or put it into a float32
   * shard of the same set. Values that are not finite are always refused.
   */
  readonly onOverflow?: 'error' | 'float32';
  /**
   * A clock in milliseconds. With it, rows reach the file within `settleSeconds` (20 unless given), and the next writer of the
   * set takes in what this one leaves should it be killed: a process loses that much of its work and not an open shard.
   */
  readonly now?: () => number;
  readonly settleSeconds?: number;
}

/** Opens (or continues) a part of a feature set. */
export function openFeatureSetWriter(options: FeatureSetWriterOptions): FeatureSetWriter {
  return new FeatureSetWriter(options);
}

/**
 * Appends rows to a feature set. Rows of different splits go to different shards. A row is safe once its shard
 * is finished and the index part replaced; of the shards that a killed process had open, the next writer takes in the rows
 * that reached the file (`now`), and the rest is lost.
 */
export class FeatureSetWriter {
  readonly folder: string;
  readonly spec: FeatureSpec;
  readonly #shardBytes: number;
  readonly #onOverflow: 'error' | 'float32';
  readonly #settling: Settling | undefined;
  readonly #indexPath: string;
  readonly #release: () => void;
  readonly #part: IndexPart;
  /** What all parts held at opening: gives revisions. */
  readonly #known: FeatureSetIndex;
  readonly #open = new Map<string, { shard: ShardWriter; inputs: Map<string, string> }>();
  readonly #appended = new Set<string>();
  /** Rows of killed writers that were taken in when this one was opened. */
  takenIn = 0;
  #changed = false;
  #closed = false;

  /**
   * @throws UserError when the part is held by a live writer, the index is damaged, feature.json disagrees, or
   *   the store can't be written; Error for a specification that contradicts itself.
   */
  constructor(options: FeatureSetWriterOptions) {
    const { store, readStores = [], spec, part, shardBytes, onOverflow } = options;
    const { now, settleSeconds: seconds = SETTLE_SECONDS } = options;
    this.#settling = now === undefined ? undefined : { now, seconds };
    assertLittleEndian();
    this.spec = FeatureSpec.parse(spec);
    if (fingerprintOf(spec.computation) !== spec.fingerprint) {
      throw new Error(`${spec.feature}: the fingerprint is not that of its computation`);
    }
    this.#shardBytes = shardBytes ?? DEFAULT_SHARD_BYTES;
    if (!(this.#shardBytes > 0 && this.#shardBytes < MAX_SHARD_BYTES)) {
      throw new UserError(
        `a shard of ${this.#shardBytes} bytes can't be made: expected more than 0 and less than ${MAX_SHARD_BYTES}`,
      );
    }
    this.#onOverflow = onOverflow ?? 'error';
    this.folder = setFolder(store, spec);
    this.#indexPath = indexPath(this.folder, checkName('part', part));
    this.#release = orUserError(this.folder, () => {
      makeFolder(indexFolder(this.folder));
      makeFolder(shardFolder(this.folder));
      return claimPart(indexFolder(this.folder), part);
    });
    try {
      orUserError(this.folder, () => this.#writeSpec(store));
      this.#known = readFeatureSetIndex([store, ...readStores], spec);
      this.#part = existsSync(this.#indexPath) ? readIndexPart(this.#indexPath) : emptyPart(spec, part);
      this.#takeIn();
      orUserError(this.folder, () => {
        for (const place of [this.folder, indexFolder(this.folder), shardFolder(this.folder)])
          removeDeadFiles(place);
      });
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  /** Finishes what killed writers have left, before anything else is appended. */
  #takeIn(): void {
    for (const abandoned of abandonedShards(this.folder)) {
      const shard = orUserError(this.folder, () => claimAbandoned(this.folder, abandoned));
      if (shard === null) continue;
      for (const row of abandonedRows(shard, this.spec)) {
        if (this.#known.rows.get(row.id)?.input === row.input || this.#appended.has(row.id)) continue;
        try {
          this.append(row);
          this.takenIn++;
        } catch (error) {
          // To be computed again, and dealt with then.
          if (!(error instanceof FeatureValueError)) throw error;
        }
      }
      this.flush();
      removeAbandoned(shard);
    }
    this.#appended.clear();
  }

  /** feature.json is written first; where there is one already, it must say the same, provenance aside. */
  #writeSpec(store: string): void {
    const path = specPath(this.folder);
    if (!existsSync(path)) {
      writeFileAtomic(path, `${JSON.stringify(this.spec, null, 2)}\n`);
      return;
    }
    const differences = diffSpecs(parseSpec(readFileSync(path, 'utf8'), path), this.spec);
    if (differences.length > 0) {
      const { dataset, feature, fingerprint } = this.spec;
      const misplaced = misplacedSet({ store, folder: this.folder, dataset, feature, fingerprint });
      if (misplaced !== null) throw misplaced;
      throw new UserError(
        `${path} describes another feature than the one to be written: ${describeDifferences(differences)}; ` +
          'run `lsgmer features repair`, or write to another store',
      );
    }
  }

  /**
   * Adds one utterance.
   * @throws FeatureValueError when a value can't be stored (the writer stays usable: quarantine the utterance);
   *   UserError when the disk fails (open shards are dropped, all that was finished is safe);
   *   Error for a row that contradicts the specification, or an id that was appended before.
   */
  append(row: FeatureRow): void {
    this.#checkRow(row);
    this.#guard(() => {
      let opened = this.#shardFor(row, this.spec.dtype);
      let misfit = opened.shard.append(row);
      if (misfit >= 0 && this.spec.dtype === 'float16' && this.#onOverflow === 'float32') {
        opened = this.#shardFor(row, 'float32');
        misfit = opened.shard.append(row);
      }
      if (misfit >= 0) throw this.#valueError(row, misfit);
      this.#appended.add(row.id);
      opened.inputs.set(row.id, row.input);
      if (opened.shard.bytes >= this.#shardBytes) this.#finish(opened);
    });
  }

  #shardFor(row: FeatureRow, dtype: FeatureDtype): { shard: ShardWriter; inputs: Map<string, string> } {
    const key = `${dtype} ${row.split === null ? '' : JSON.stringify(row.split)}`;
    const open = this.#open.get(key);
    if (open && !open.shard.isTooFullFor(row)) return open;
    if (open) this.#finish(open);
    const fresh = {
      shard: new ShardWriter(this.folder, this.spec, dtype, row.split, this.#settling),
      inputs: new Map(),
    };
    if (fresh.shard.isTooFullFor(row)) {
      throw new FeatureValueError(
        `${row.id}: ${row.n} steps of ${this.spec.dim} values do not fit a shard of 2 GiB`,
      );
    }
    this.#open.set(key, fresh);
    return fresh;
  }

  #valueError(row: FeatureRow, at: number): FeatureValueError {
    const value = row.features[at] as number;
    const where = `${row.id}: ${this.spec.feature} at step ${Math.floor(at / this.spec.dim)}, dimension ${at % this.spec.dim}`;
    return new FeatureValueError(
      Number.isFinite(value)
        ? `${where} is ${value}, beyond float16's range of +-65504: --overflow float32 keeps such rows as float32 (--retry, where they are quarantined), --store-dtype float32 all`
        : `${where} is ${value}: expected a finite number`,
    );
  }

  #checkRow(row: FeatureRow): void {
    if (this.#closed) throw new Error('the feature set writer is closed');
    const { id, n, features, tokenIds, tokenSpans } = row;
    if (!ID_PATTERN.test(id)) throw new Error(`"${id}" is no utterance id`);
    if (this.#appended.has(id)) throw new Error(`${id} was appended twice`);
    if (!Number.isInteger(n) || n < 1) throw new Error(`${id}: n is ${n}, expected at least 1`);
    if (features.length !== n * this.spec.dim) {
      throw new Error(
        `${id}: ${features.length} values, expected ${n} x ${this.spec.dim} = ${n * this.spec.dim}`,
      );
    }
    const text = this.spec.kind === 'text';
    if (tokenIds?.length !== (text ? n : undefined) || tokenSpans?.length !== (text ? 2 * n : undefined)) {
      throw new Error(`${id}: expected ${text ? `${n} token ids and ${2 * n} offsets` : 'no tokens'}`);
    }
  }

  /** Notes an utterance that can't be computed; kept in the index with the next shard, flush or close. */
  quarantine(id: string, reason: string, input: string): void {
    if (this.#closed) throw new Error('the feature set writer is closed');
    if (!ID_PATTERN.test(id)) throw new Error(`"${id}" is no utterance id`);
    if (this.#appended.has(id)) throw new Error(`${id} was appended before it was quarantined`);
    if (this.#part.utterances[id]?.input !== input) delete this.#part.utterances[id];
    this.#part.quarantined[id] = { reason, input, ...this.#revision(id, input) };
    this.#changed = true;
  }

  /** An input that differs from the one held before gets the next revision. */
  #revision(id: string, input: string): { revision?: number } {
    const held = this.#known.rows.get(id) ?? this.#known.quarantined.get(id);
    const revision = held === undefined ? 0 : held.revision + (held.input === input ? 0 : 1);
    return revision === 0 ? {} : { revision };
  }

  #finish(open: { shard: ShardWriter; inputs: Map<string, string> }): void {
    const entry = open.shard.finish();
    for (const [key, value] of this.#open) if (value === open) this.#open.delete(key);
    if (!entry) return;
    // the same rows written once more give the same file
    let position = this.#part.shards.findIndex((shard) => shard.sha256 === entry.sha256);
    if (position < 0) position = this.#part.shards.push(entry) - 1;
    for (const [id, input] of open.inputs) {
      this.#part.utterances[id] = { shard: position, input, ...this.#revision(id, input) };
      delete this.#part.quarantined[id];
    }
    this.#writeIndex();
    open.shard.listed();
  }

  #writeIndex(): void {
    writeIndexPart(this.#indexPath, this.#part);
    this.#changed = false;
  }

  /** Finishes the open shards and replaces the index part: all that was appended is safe afterwards. */
  flush(): void {
    if (this.#closed) throw new Error('the feature set writer is closed');
    this.#guard(() => {
      for (const open of this.#open.values()) this.#finish(open);
      if (this.#changed) this.#writeIndex();
    });
  }

  /** `flush`, then gives the part back. Harmless when repeated. */
  close(): void {
    if (this.#closed) return;
    this.flush();
    this.discard();
  }

  /** Drops the open shards and gives the part back; what was finished stays. */
  discard(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { shard } of this.#open.values()) shard.discard();
    this.#open.clear();
    this.#release();
  }

  #guard(work: () => void): void {
    try {
      orUserError(this.folder, work);
    } catch (error) {
      if (!(error instanceof FeatureValueError)) this.discard();
      throw error;
    }
  }
}

function emptyPart({ dataset, feature, fingerprint }: FeatureSpec, part: string): IndexPart {
  return { format: FORMAT, dataset, feature, fingerprint, part, shards: [], utterances: {}, quarantined: {} };
}
