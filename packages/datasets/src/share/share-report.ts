import type { Reporter } from '../base/reporter.ts';

/** What became of one set, or would. */
export interface SharedSet {
  readonly feature: string;
  readonly fingerprint: string;
  /** Rows that went over. */
  readonly rows: number;
  /** Rows that the other side had. */
  readonly there: number;
  readonly shards: number;
  /** Bytes of the shards that went over, and of those that needed not. */
  readonly bytes: number;
  readonly thereBytes: number;
  /** Utterances of which the other side has a row from another text or recording, of the same revision. */
  readonly otherInput: readonly string[];
}

export interface ShareReport {
  readonly dataset: string;
  readonly remote: string;
  /**
   * new: it went over; there: the other side has it; kept: the other side has another one, which stays; replaced;
   * none: there is none.
   */
  readonly manifest: 'new' | 'there' | 'kept' | 'replaced' | 'none';
  readonly sets: readonly SharedSet[];
  /** Bytes that went over, all files together. */
  readonly bytes: number;
  readonly dryRun: boolean;
}

/** Counts bytes for the reporter; tries that fail take theirs back. */
export class ByteProgress {
  readonly #reporter: Reporter;
  readonly #task: string;
  readonly #total: number;
  readonly #files: number;
  /** Bytes that really went over. */
  moved = 0;
  #done = 0;
  #whole = 0;

  constructor(reporter: Reporter, task: string, total: number, files: number) {
    this.#reporter = reporter;
    this.#task = task;
    this.#total = total;
    this.#files = files;
  }

  add(bytes: number): void {
    this.#done += bytes;
    this.#tell();
  }

  file(): void {
    this.#whole++;
    this.#tell();
  }

  #tell(): void {
    if (this.#files === 0) return;
    const total = megabytes(this.#total);
    // the last report is that of the last file: bytes may be all there before it is safe
    const finished = this.#whole === this.#files;
    const done = finished ? total : Math.min(megabytes(this.#done), Math.max(0, total - 0.1));
    const note = `${this.#whole} of ${this.#files} files`;
    this.#reporter.progress({ task: this.#task, unit: 'MB', total, done, note });
  }
}

const megabytes = (bytes: number): number => Math.round(bytes / 1e5) / 10;
