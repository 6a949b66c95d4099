import { Worker } from 'node:worker_threads';
import { type FeatureRow, type FeatureSetWriterOptions, UserError } from '@lsgmer/datasets';
import type { FeatureSink, SinkOpener } from './feature-sink.ts';
import type { SinkCall, SinkReply, SinkRequest } from './sink-messages.ts';

/** The compiled entry beside this compiled file. */
const ENTRY = new URL('./sink-thread.js', import.meta.url);

interface Pending {
  readonly resolve: (value: string | null) => void;
  readonly reject: (error: Error) => void;
}

/** Writes feature sets in a thread of its own, all of them in the same one. */
export class ThreadedSinks implements SinkOpener {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  private requests = 0;
  private opened = 0;
  private ended: Error | undefined;

  /** @param entry compiled entry of the thread, where it does not lie beside this file (tests) */
  constructor(entry: URL | string = ENTRY) {
    this.worker = new Worker(entry, {
      // Flags of this process (a debugger's, a test runner's) are not meant for the thread.
      execArgv: [],
    });
    this.worker.on('message', (reply: SinkReply) => this.take(reply));
    this.worker.on('error', (error: Error) => this.end(error));
    this.worker.on('exit', () => this.end(new Error('the writing thread has ended')));
  }

  async open(options: FeatureSetWriterOptions): Promise<FeatureSink> {
    const folder = (await this.call({ kind: 'open', options })) as string;
    // Numbered as the thread numbers them: those that could not be opened do not count.
    const set = this.opened++;
    return {
      folder,
      append: (row) => this.append(set, row),
      quarantine: async (id, reason, input) => {
        await this.call({ kind: 'quarantine', set, rowId: id, reason, input });
      },
      flush: async () => void (await this.call({ kind: 'flush', set })),
      close: async () => void (await this.call({ kind: 'close', set })),
    };
  }

  async close(): Promise<void> {
    this.end(new Error('the writing thread was closed'));
    await this.worker.terminate();
  }

  /** The values travel without being copied once more; `row` must not be used afterwards. */
  private append(set: number, row: FeatureRow): Promise<string | null> {
    const { features } = row;
    // Rows of one batch may lie in one piece of memory, which can be handed over only as a whole.
    const own = features.byteLength === features.buffer.byteLength ? features : features.slice();
    return this.call({ kind: 'append', set, row: { ...row, features: own } }, [own.buffer as ArrayBuffer]);
  }

  private call(call: SinkCall, transfer: ArrayBuffer[] = []): Promise<string | null> {
    return new Promise((resolve, reject) => {
      if (this.ended !== undefined) {
        reject(this.ended);
        return;
      }
      const id = this.requests++;
      this.pending.set(id, { resolve, reject });
      const request: SinkRequest = { ...call, id };
      this.worker.postMessage(request, transfer);
    });
  }

  private take(reply: SinkReply): void {
    const pending = this.pending.get(reply.id);
    this.pending.delete(reply.id);
    if ('value' in reply) pending?.resolve(reply.value);
    else pending?.reject(revived(reply.error));
  }

  private end(error: Error): void {
    this.ended ??= error;
    for (const { reject } of this.pending.values()) reject(this.ended);
    this.pending.clear();
  }
}

/** What is the user's matter stays one line across the border of threads, and a bug keeps its stack. */
function revived({ user, message, stack, code }: Extract<SinkReply, { error: unknown }>['error']): Error {
  const error = user ? new UserError(message) : new Error(message);
  if (stack !== undefined && !(error instanceof UserError)) error.stack = stack;
  return code === undefined ? error : Object.assign(error, { code });
}
