import { parentPort, workerData } from 'node:worker_threads';
import { type FeatureSet, openFeatureSet, UserError } from '@lsgmer/datasets';
import type { LoaderReply, LoaderRequest, StoredLocation } from './loader.ts';

/**
 * Entry of the loader's thread: opens the feature sets on its own and fills batches, several reads in flight and
 * each row verified the first time, while the main thread is blocked by a training step.
 */
const { locations } = workerData as { readonly locations: readonly StoredLocation[] };
const sets = new Map<number, FeatureSet>();

function open(set: number): FeatureSet {
  const known = sets.get(set);
  if (known !== undefined) return known;
  const { dtype, ...choice } = locations[set] as StoredLocation;
  const opened = openFeatureSet(choice);
  sets.set(set, opened);
  if (opened.dtype !== dtype) {
    const name = `${choice.dataset}/${choice.feature}`;
    throw new UserError(`${name} came to hold ${opened.dtype} while it was read as ${dtype}: train again`);
  }
  return opened;
}

async function fill({ set, ids, steps, rows, memory }: LoaderRequest): Promise<void> {
  const source = open(set);
  const size = rows * steps * source.dim;
  const target =
    source.dtype === 'float16' ? new Uint16Array(memory, 0, size) : new Float32Array(memory, 0, size);
  await source.readPadded(ids, steps, target);
  target.fill(0, ids.length * steps * source.dim);
}

parentPort?.on('message', (request: LoaderRequest) => {
  void answer(request);
});

async function answer(request: LoaderRequest): Promise<void> {
  const { id, memory } = request;
  let reply: LoaderReply;
  try {
    await fill(request);
    reply = { id, memory };
  } catch (error) {
    const { message, stack } = error as Error;
    reply = { id, memory, failed: { message, user: error instanceof UserError, stack: stack ?? message } };
  }
  parentPort?.postMessage(reply, [memory]);
}
