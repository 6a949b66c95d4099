import { type MessagePort, parentPort } from 'node:worker_threads';
import { UserError } from '@lsgmer/datasets';
import { type LocalSink, openLocalSink } from './feature-sink.ts';
import type { SinkReply, SinkRequest } from './sink-messages.ts';

/**
 * Entry of the writing thread: rounding, hashing and, above all, waiting for the disk happen here, so that the main thread
 * stays free to keep the encoder busy and to hear a request to stop.
 */
const port = parentPort as MessagePort;
const sinks: LocalSink[] = [];
let queue = Promise.resolve();

port.on('message', (request: SinkRequest) => {
  queue = queue.then(() => answer(request));
});

async function answer(request: SinkRequest): Promise<void> {
  const { id } = request;
  try {
    reply({ id, value: await perform(request) });
  } catch (error) {
    const { message, stack, code } = error as NodeJS.ErrnoException;
    reply({ id, error: { user: error instanceof UserError, message, stack, code } });
  }
}

async function perform(request: SinkRequest): Promise<string | null> {
  if (request.kind === 'open') {
    const sink = openLocalSink(request.options);
    sinks.push(sink);
    return sink.folder;
  }
  const sink = sinks[request.set];
  if (sink === undefined) throw new Error(`set ${request.set} of ${sinks.length}`);
  switch (request.kind) {
    case 'append':
      return sink.append(request.row);
    case 'quarantine':
      await sink.quarantine(request.rowId, request.reason, request.input);
      return null;
    case 'flush':
      await sink.flush();
      return null;
    case 'close':
      await sink.close();
      return null;
  }
}

function reply(message: SinkReply): void {
  // eslint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, no window
  port.postMessage(message);
}
