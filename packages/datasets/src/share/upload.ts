import { TransferFailure } from './failure.ts';
import type { Outgoing, Remote } from './remote.ts';
import { persistently } from './retry.ts';
import { severalOrNone } from './several.ts';
import type { ByteProgress } from './share-report.ts';
import type { Transfer } from './small-file.ts';

/** Sends files one by one, several at once. @throws UserError after a bounded number of tries; Interrupted. */
export async function sendAll(
  transfer: Transfer,
  files: readonly Outgoing[],
  atOnce: number,
  progress?: ByteProgress,
): Promise<void> {
  const { remote, patience } = transfer;
  await severalOrNone(files, atOnce, transfer.signal, (file, signal) =>
    persistently(patience, signal, () => sendOnce(remote, file, progress, signal)),
  );
}

async function sendOnce(
  remote: Remote,
  file: Outgoing,
  progress: ByteProgress | undefined,
  signal: AbortSignal,
): Promise<void> {
  let sent = 0;
  const onBytes = (bytes: number): void => {
    sent += bytes;
    progress?.add(bytes);
  };
  try {
    await remote.write?.({ ...file, onBytes }, signal);
    progress?.file();
  } catch (error) {
    progress?.add(-sent);
    if (error instanceof TransferFailure && error.kind === 'cut') error.moved = true;
    throw error;
  }
}

/** Sends files at one stroke. What went over in a try that failed need not go again: the place knows it by content. */
export async function sendAtOneStroke(
  { remote, patience, signal }: Transfer,
  files: readonly Outgoing[],
  progress: ByteProgress,
  title: string,
): Promise<void> {
  const done = new Set<string>();
  await persistently(patience, signal, async () => {
    const told = files.map((file) => ({
      ...file,
      onBytes: (bytes: number): void => {
        if (done.has(file.path)) return;
        done.add(file.path);
        progress.add(bytes);
      },
    }));
    try {
      await remote.commit?.(told, title, signal);
    } catch (error) {
      if (error instanceof TransferFailure && error.kind === 'cut') error.moved = true;
      throw error;
    }
  });
  for (const _ of files) progress.file();
}
