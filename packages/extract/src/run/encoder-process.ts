import type { EncoderReply, EncoderRequest } from './encoder-messages.ts';
import { LocalEncoder } from './encoder.ts';

/**
 * Entry of the encoder process. A native call can be interrupted by nothing, so encoders live where they can be
 * killed: the main process ends this one whenever it likes. Should the main process vanish, this one drops what is
 * queued and ends by itself after the call in progress, since nothing keeps it alive then.
 */
let abandoned = false;
process.once('disconnect', () => (abandoned = true));
// A terminal and a batch system signal the whole group; only the main process decides what becomes of the run.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGUSR1', 'SIGHUP'] as const) process.on(signal, () => {});

let encoder: LocalEncoder | undefined;
let queue = Promise.resolve();

process.on('message', (request: EncoderRequest) => {
  queue = queue.then(() => answer(request));
});

async function answer(request: EncoderRequest): Promise<void> {
  if (abandoned) return;
  if (request.kind === 'start') {
    try {
      encoder = await LocalEncoder.start(request.models, request.settings);
      reply({ kind: 'ready', devices: encoder.devices });
    } catch (error) {
      const { name, message } = error as Error;
      reply({ kind: 'refused', name, message });
    }
    return;
  }
  const { id, model, inputs, features } = request;
  try {
    if (encoder === undefined) throw new Error('the encoder has not been started');
    reply({ kind: 'encoded', id, rows: await encoder.encode(model, inputs, features) });
  } catch (error) {
    reply({ kind: 'failed', id, message: (error as Error).message });
  }
}

function reply(message: EncoderReply): void {
  if (!process.connected) return;
  process.send?.(message);
}
