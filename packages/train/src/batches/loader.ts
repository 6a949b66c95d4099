import { Worker } from 'node:worker_threads';
import { type FeatureDtype, UserError } from '@lsgmer/datasets';

/** Where a thread of its own finds a feature set again. */
export interface StoredLocation {
  readonly stores: readonly string[];
  readonly dataset: string;
  readonly feature: string;
  /** Whole fingerprint. */
  readonly fingerprint: string;
  /** As the set was opened: what batches are made for. */
  readonly dtype: FeatureDtype;
}

export interface LoaderRequest {
  readonly id: number;
  /** Position in the list of locations. */
  readonly set: number;
  readonly ids: readonly string[];
  /** Room for each row, in steps. */
  readonly steps: number;
  /** Rows of the batch; those after the ids are filled with zeros. */
  readonly rows: number;
  readonly memory: ArrayBuffer;
}

export interface LoaderReply {
  readonly id: number;
  readonly memory: ArrayBuffer;
  readonly failed?: { readonly message: string; readonly user: boolean; readonly stack: string };
}

/** The compiled entry beside this compiled file. */
const ENTRY = new URL('./loader-worker.js', import.meta.url);

interface Pending {
  readonly resolve: (memory: ArrayBuffer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Fills padded batches in a thread of its own, which starts with the first request. A batch's memory changes hands
 * and is never copied: the thread owns it while it writes, the caller before and after. (SharedArrayBuffer would
 * do as well, but onnxruntime-node refuses it on Node 20.)
 */
export class Loader {
  private readonly locations: readonly StoredLocation[];
  private readonly entry: URL;
  private readonly pending = new Map<number, Pending>();
  private worker: Worker | undefined;
  private requests = 0;
  private ended: Error | undefined;

  /** @param entry compiled entry of the thread, where it does not lie beside this file (tests) */
  constructor(locations: readonly StoredLocation[], entry = ENTRY) {
    this.locations = locations;
    this.entry = entry;
  }

  /**
   * Reads utterances of a set into `memory`: [rows, steps, dim] from its first byte on, zeros where there is none.
   * @param memory taken over: unusable for the caller until it comes back
   * @returns the same memory, filled
   * @throws UserError for a row that is missing or damaged; Error once the loader is closed
   */
  read(
    set: number,
    ids: readonly string[],
    steps: number,
    rows: number,
    memory: ArrayBuffer,
  ): Promise<ArrayBuffer> {
    return new Promise((resolve, reject) => {
      if (this.ended !== undefined) return reject(this.ended);
      const id = this.requests++;
      this.pending.set(id, { resolve, reject });
      const request: LoaderRequest = { id, set, ids, steps, rows, memory };
      const worker = (this.worker ??= this.start());
      worker.ref();
      worker.postMessage(request, [memory]);
    });
  }

  /** Ends the thread; what is under way is rejected. */
  async close(): Promise<void> {
    this.end(new Error('the loader is closed'));
    await this.worker?.terminate();
  }

  private start(): Worker {
    // Flags of this process (a debugger's, a test runner's) are not meant for the thread.
    const worker = new Worker(this.entry, { workerData: { locations: this.locations }, execArgv: [] });
    worker.on('message', (reply: LoaderReply) => this.take(reply));
    worker.on('error', (error) => this.end(error));
    worker.on('exit', (code) => this.end(new Error(`the loader's thread ended with code ${code}`)));
    return worker;
  }

  private take({ id, memory, failed }: LoaderReply): void {
    const waiting = this.pending.get(id);
    this.pending.delete(id);
    // An idle thread keeps no process alive.
    if (this.pending.size === 0) this.worker?.unref();
    if (failed === undefined) waiting?.resolve(memory);
    else if (failed.user) waiting?.reject(new UserError(failed.message));
    else waiting?.reject(Object.assign(new Error(failed.message), { stack: failed.stack }));
  }

  private end(error: Error): void {
    this.ended ??= error;
    for (const { reject } of this.pending.values()) reject(this.ended);
    this.pending.clear();
  }
}
