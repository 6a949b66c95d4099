import type { Schema } from 'apache-arrow';
import { AlignedArrowWriter } from './aligned-arrow-writer.ts';
import type { FeatureDtype, FeatureRow, FeatureSpec } from './feature-spec.ts';
import type { ShardEntry } from './index-part.ts';
import { RecordBatchBuilder } from './record-batch.ts';
import { ShardJournal } from './shard-journal.ts';
import { ShardFile } from './shard-file.ts';
import { INPUTS, ROWS_PER_BATCH, shardSchema, valueBytes } from './shard-schema.ts';

/** A batch of very long rows is written early, so that it never holds more than this. */
const MAX_BATCH_BYTES = 256 * 2 ** 20;

/**
 * Bytes that a shard may reach before its footer: Node and many readers stop at 2 GiB, and the footer needs
 * at most a few bytes for each row.
 */
export const MAX_SHARD_BYTES = 2 ** 31 - 2 ** 26;

/** Metadata of one record batch, columns other than the features and padding, generously. */
const BATCH_OVERHEAD = 8192;

/** When rows reach the file, also where their batch is not full. */
export interface Settling {
  /** A clock in milliseconds. */
  readonly now: () => number;
  /** Rows wait no longer than so many seconds, as soon as the next one comes. */
  readonly seconds: number;
}

/** Writes one shard: rows of one split, in one type. The file begins with the first batch. */
export class ShardWriter {
  readonly split: string | null;
  readonly dtype: FeatureDtype;
  readonly #folder: string;
  readonly #schema: Schema;
  readonly #batch: RecordBatchBuilder;
  #file: ShardFile | null = null;
  #arrow: AlignedArrowWriter | null = null;
  readonly #settling: Settling | undefined;
  #journal: ShardJournal | null = null;
  /** Id and input digest of the batch's rows. */
  #inputs: [id: string, input: string][] = [];
  /** When the first row of the batch came. */
  #since = 0;
  #rows = 0;

  /**
   * @param folder of the feature set.
   * @param settling with it, a journal lies beside the file until it is finished, so that what a killed process leaves
   *   can be taken in
   */
  constructor(
    folder: string,
    spec: FeatureSpec,
    dtype: FeatureDtype,
    split: string | null,
    settling?: Settling,
  ) {
    this.#settling = settling;
    this.split = split;
    this.dtype = dtype;
    this.#folder = folder;
    this.#schema = shardSchema(spec, dtype, split);
    this.#batch = new RecordBatchBuilder(spec, dtype);
  }

  get rows(): number {
    return this.#rows;
  }

  /** Bytes written and waiting. */
  get bytes(): number {
    return (this.#file?.position ?? 0) + this.#batch.valueBytes;
  }

  /** True when the row can't be added without passing 2 GiB: finish this shard first. */
  isTooFullFor(row: FeatureRow): boolean {
    const tokens = 12 * (row.tokenIds?.length ?? 0);
    const added = row.features.length * valueBytes(this.dtype) + tokens + BATCH_OVERHEAD;
    return this.bytes + added > MAX_SHARD_BYTES;
  }

  /**
   * Adds a row; every 32 rows, or when the first of them has waited long enough, a record batch goes to the file.
   * @returns -1, or the index of the first value that this shard's type can't hold; the row is not added then.
   * @throws the file system's error.
   */
  append(row: FeatureRow): number {
    const misfit = this.#batch.append(row);
    if (misfit >= 0) return misfit;
    this.#rows++;
    this.#inputs.push([row.id, row.input]);
    if (this.#settling !== undefined && this.#batch.rows === 1) this.#since = this.#settling.now();
    if (this.#batch.rows === ROWS_PER_BATCH || this.#batch.valueBytes >= MAX_BATCH_BYTES || this.#waited())
      this.#writeBatch();
    return -1;
  }

  #waited(): boolean {
    return (
      this.#settling !== undefined && this.#settling.now() - this.#since >= 1000 * this.#settling.seconds
    );
  }

  #writeBatch(): void {
    if (!this.#file || !this.#arrow) {
      this.#file = new ShardFile(this.#folder);
      this.#arrow = new AlignedArrowWriter();
      this.#arrow.reset(this.#file, this.#schema);
    }
    this.#file.valuesMemory = this.#batch.valuesMemory;
    const digests = JSON.stringify(this.#inputs.map(([, input]) => input));
    this.#arrow.write(this.#batch.batch(this.#schema, new Map([[INPUTS, digests]])));
    this.#batch.clear();
    if (this.#settling !== undefined) this.#note(this.#file);
    this.#inputs = [];
  }

  #note(file: ShardFile): void {
    file.settle();
    this.#journal ??= new ShardJournal(file.temporary, { split: this.split, dtype: this.dtype });
    const [offset, length] = file.lastValues as readonly [number, number];
    this.#journal.add({ values: [offset, length], inputs: Object.fromEntries(this.#inputs) });
  }

  /**
   * Ends the file and gives it its final name; its journal stays until `listed`.
   * @returns its entry for the index, or null when no row was added.
   */
  finish(): ShardEntry | null {
    if (this.#rows === 0) return null;
    if (this.#batch.rows > 0) this.#writeBatch();
    const file = this.#file as ShardFile;
    file.valuesMemory = null;
    this.#arrow?.close();
    const written = file.seal((sha256) => this.#journal?.sealed(sha256));
    return { ...written, split: this.split, dtype: this.dtype, rows: this.#rows };
  }

  /** Drops what was not finished. */
  discard(): void {
    this.#file?.discard();
    this.listed();
  }

  /** The index has what `finish` gave: the journal is not needed any more. */
  listed(): void {
    this.#journal?.remove();
    this.#journal = null;
  }
}
