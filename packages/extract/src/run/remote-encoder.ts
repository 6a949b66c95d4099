import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { UserError } from '@lsgmer/datasets';
import type { Device } from '@lsgmer/onnx/runtime';
import type { EncodedSteps, EncoderInput } from '../features/form.ts';
import type { ModelReference } from '../models/feature-options.ts';
import type { EncoderReply, EncoderRequest } from './encoder-messages.ts';
import { EncodeError, type Encoder, type EncoderSettings } from './encoder.ts';

/** The compiled entry beside this compiled file. */
const ENTRY = fileURLToPath(new URL('./encoder-process.js', import.meta.url));

/** Enough of what a dying process said to name the cause. */
const KEPT_ERROR_OUTPUT = 2000;

interface Pending {
  readonly resolve: (rows: EncodedSteps[][]) => void;
  readonly reject: (error: Error) => void;
}

/** Runs the models in a process of their own, so that this one stays free and can end at any moment. */
export class RemoteEncoder implements Encoder {
  readonly lanes = 1;
  private readonly child: ChildProcess;
  private readonly pending = new Map<number, Pending>();
  private started:
    | { resolve: (devices: readonly Device[]) => void; reject: (error: Error) => void }
    | undefined;
  private where: readonly Device[] = [];
  private requests = 0;
  private ended: Error | undefined;
  private said = '';

  private constructor(entry: string) {
    this.child = fork(entry, [], {
      serialization: 'advanced',
      // Flags of this process (a debugger's, a test runner's) are not meant for that one.
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.said = (this.said + chunk.toString('utf8')).slice(-KEPT_ERROR_OUTPUT);
    });
    this.child.on('message', (reply: EncoderReply) => this.take(reply));
    this.child.on('error', (error) => this.end(error));
    this.child.on('exit', (code, signal) => this.end(this.exitError(code, signal)));
  }

  /**
   * @param entry compiled entry of the encoder process, where it does not lie beside this file (tests)
   * @throws UserError when a folder is no model or the device does not work here
   */
  static async start(
    models: readonly ModelReference[],
    settings: EncoderSettings,
    entry = ENTRY,
  ): Promise<RemoteEncoder> {
    const encoder = new RemoteEncoder(entry);
    try {
      encoder.where = await new Promise<readonly Device[]>((resolve, reject) => {
        encoder.started = { resolve, reject };
        encoder.send({ kind: 'start', models, settings });
      });
    } catch (error) {
      await encoder.close();
      throw error;
    }
    return encoder;
  }

  get devices(): readonly Device[] {
    return this.where;
  }

  /** Its process id, to be shown or, in a test, to be killed. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  encode(
    model: number,
    inputs: readonly EncoderInput[],
    features: readonly number[],
  ): Promise<EncodedSteps[][]> {
    return new Promise((resolve, reject) => {
      if (this.ended !== undefined) {
        reject(this.ended);
        return;
      }
      const id = this.requests++;
      this.pending.set(id, { resolve, reject });
      this.send({ kind: 'encode', id, model, inputs, features });
    });
  }

  close(): Promise<void> {
    this.end(new Error('the encoder was closed'));
    this.child.kill('SIGKILL');
    return Promise.resolve();
  }

  private send(request: EncoderRequest): void {
    this.child.send(request, (error) => {
      if (error !== null) this.end(error);
    });
  }

  private take(reply: EncoderReply): void {
    switch (reply.kind) {
      case 'ready':
        this.started?.resolve(reply.devices);
        break;
      case 'refused':
        this.started?.reject(refusal(reply.name, reply.message));
        break;
      case 'encoded':
        this.settle(reply.id)?.resolve(reply.rows.map((rows) => [...rows]));
        break;
      case 'failed':
        this.settle(reply.id)?.reject(new EncodeError(reply.message));
        break;
    }
  }

  private settle(id: number): Pending | undefined {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    return pending;
  }

  /** The first reason stays. */
  private end(error: Error): void {
    this.ended ??= error;
    this.started?.reject(this.ended);
    for (const { reject } of this.pending.values()) reject(this.ended);
    this.pending.clear();
  }

  private exitError(code: number | null, signal: NodeJS.Signals | null): Error {
    const how = signal === null ? `with code ${code}` : `by ${signal}`;
    const hint = signal === 'SIGKILL' ? ' (most likely the machine ran out of memory)' : '';
    const said = this.said.trim().split('\n').at(-1) ?? '';
    return new UserError(
      `the encoder process was ended ${how}${hint}${said === '' ? '' : ` (${said})`}; all that was finished is kept, and the same command goes on`,
    );
  }
}

/** What is the user's or the machine's matter stays one line across the process border. */
function refusal(name: string, message: string): Error {
  return name === 'UserError' || name === 'UserErrors' ? new UserError(message) : new Error(message);
}
