import {
  FeatureValueError,
  type FeatureRow,
  type FeatureSetWriter,
  type FeatureSetWriterOptions,
  openFeatureSetWriter,
} from '@lsgmer/datasets';

/** Where the rows of one feature set go: the writer of this thread, or one in a thread of its own. */
export interface FeatureSink {
  /** Folder of the set. */
  readonly folder: string;
  /**
   * @returns null, or why the row's values cannot be stored
   * @throws UserError when the disk fails
   */
  append(row: FeatureRow): Promise<string | null>;
  quarantine(id: string, reason: string, input: string): Promise<void>;
  /** Seals what was appended so far. */
  flush(): Promise<void>;
  /** Finishes shards and index; what was appended is safe afterwards. */
  close(): Promise<void>;
}

/** Opens sinks; all of them end with `close`. */
export interface SinkOpener {
  open(options: FeatureSetWriterOptions): Promise<FeatureSink>;
  /** Frees what the opener holds, once its sinks are closed. */
  close(): Promise<void>;
}

/** Sinks that write on the calling thread. */
export const localSinks: SinkOpener = {
  open: (options) => Promise.resolve(openLocalSink(options)),
  close: () => Promise.resolve(),
};

/** A sink that writes on the calling thread; rows of killed writers are taken in. */
export function openLocalSink(options: FeatureSetWriterOptions): LocalSink {
  return new LocalSink(openFeatureSetWriter({ now: () => performance.now(), ...options }));
}

/** Methods are asynchronous in form only; what they throw becomes a rejection. */
export class LocalSink implements FeatureSink {
  private readonly writer: FeatureSetWriter;

  constructor(writer: FeatureSetWriter) {
    this.writer = writer;
  }

  get folder(): string {
    return this.writer.folder;
  }

  async append(row: FeatureRow): Promise<string | null> {
    try {
      this.writer.append(row);
      return null;
    } catch (error) {
      if (error instanceof FeatureValueError) return error.message;
      throw error;
    }
  }

  async quarantine(id: string, reason: string, input: string): Promise<void> {
    this.writer.quarantine(id, reason, input);
  }

  async flush(): Promise<void> {
    this.writer.flush();
  }

  async close(): Promise<void> {
    this.writer.close();
  }
}
