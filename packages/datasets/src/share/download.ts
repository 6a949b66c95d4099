import { createHash, type Hash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { syncFolder } from '../base/atomic-file.ts';
import { UserError } from '../base/errors.ts';
import { makeFolder, openNewFile } from '../base/shared-folder.ts';
import { orUserError } from '../store/disk-error.ts';
import { bodyOf } from './body.ts';
import type { NamedFile } from './catalogue.ts';
import { TransferFailure } from './failure.ts';
import { persistently } from './retry.ts';
import type { Transfer } from './small-file.ts';

/** Name of a file that has arrived in part: it stays when a transfer breaks, and the next one goes on with it. */
export const partialPath = (target: string): string => join(dirname(target), `.partial-${basename(target)}`);

/** Told of bytes that are there. */
export type OnArrival = (bytes: number, cameNow: boolean) => void;

/** Times that a file is fetched whole when it comes with wrong bytes. */
const MOST_WRONG = 2;

/**
 * Fetches a file whose sha256 is known. Its beginning may be there from an earlier, broken transfer. The file shows
 * under its name when every byte is right and safe on the disk, and not before.
 * @param onBytes told of bytes that are there, and whether they came now or lay here already; negative where a
 *   beginning turned out to be useless.
 * @throws UserError after a bounded number of tries; Interrupted (what has arrived is kept).
 */
export async function download(
  transfer: Transfer,
  path: string,
  expected: NamedFile,
  target: string,
  onBytes: OnArrival,
): Promise<void> {
  const folder = dirname(target);
  orUserError(folder, () => makeFolder(folder));
  const arriving = new Arriving(target, onBytes);
  try {
    for (let wrong = 0; ;) {
      await persistently(transfer.patience, transfer.signal, () =>
        arriveOnce(transfer, path, expected, arriving),
      );
      const found = arriving.digest();
      if (found === expected.sha256) break;
      arriving.restart();
      if (++wrong === MOST_WRONG) {
        arriving.remove();
        throw new UserError(
          `${transfer.remote.title}/${path} has other bytes than its name says (sha256 ${found}): the copy there is damaged, or something on the way changes files; nothing of it was kept`,
        );
      }
    }
    orUserError(folder, () => arriving.finish());
  } finally {
    arriving.close();
  }
}

async function arriveOnce(
  { remote, signal }: Transfer,
  path: string,
  { bytes }: NamedFile,
  arriving: Arriving,
): Promise<void> {
  if (arriving.length > bytes) arriving.restart();
  if (arriving.length === bytes) return;
  const what = `GET ${remote.title}/${path}`;
  const asked = arriving.length;
  const received = await remote.read(path, asked, signal);
  if (received === null)
    throw new UserError(`${remote.title}/${path} is not there, although the index names it: push it again`);
  const { from, total, body } = received;
  if (total !== null && total !== bytes) {
    body.destroy();
    throw new UserError(
      `${remote.title}/${path} has ${total} bytes, and the index says ${bytes}: the copy there is damaged; push it again`,
    );
  }
  if (from !== asked) arriving.restart();
  let moved = false;
  try {
    for await (const piece of bodyOf(body, what, signal)) {
      if (arriving.length + piece.length > bytes) {
        arriving.restart();
        throw new TransferFailure('broken', `${what}: more than its ${bytes} bytes came`);
      }
      orUserError(dirname(arriving.path), () => arriving.append(piece));
      moved = true;
    }
    if (arriving.length < bytes)
      throw new TransferFailure('cut', `${what}: ${arriving.length} of ${bytes} bytes came`);
  } catch (error) {
    if (error instanceof TransferFailure && error.kind !== 'broken') error.moved = moved;
    throw error;
  }
}

/** A file on its way in, with the sha256 of what is there. */
class Arriving {
  readonly path: string;
  readonly #target: string;
  readonly #fd: number;
  readonly #onBytes: OnArrival;
  #hash: Hash = createHash('sha256');
  #length = 0;
  #open = true;

  constructor(target: string, onBytes: OnArrival) {
    this.#target = target;
    this.#onBytes = onBytes;
    this.path = partialPath(target);
    this.#fd = orUserError(dirname(target), () => openPartial(this.path));
    this.#readBeginning();
  }

  get length(): number {
    return this.#length;
  }

  #readBeginning(): void {
    const buffer = new Uint8Array(1 << 20);
    for (;;) {
      const got = readSync(this.#fd, buffer, 0, buffer.length, this.#length);
      if (got === 0) break;
      this.#hash.update(buffer.subarray(0, got));
      this.#length += got;
    }
    if (this.#length > 0) this.#onBytes(this.#length, false);
  }

  append(piece: Uint8Array): void {
    for (let at = 0; at < piece.length;)
      at += writeSync(this.#fd, piece, at, piece.length - at, this.#length + at);
    this.#hash.update(piece);
    this.#length += piece.length;
    this.#onBytes(piece.length, true);
  }

  restart(): void {
    if (this.#length > 0) this.#onBytes(-this.#length, false);
    ftruncateSync(this.#fd, 0);
    this.#hash = createHash('sha256');
    this.#length = 0;
  }

  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  finish(): void {
    fsyncSync(this.#fd);
    renameSync(this.path, this.#target);
    syncFolder(dirname(this.#target));
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }

  close(): void {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
  }
}

function openPartial(path: string): number {
  if (!existsSync(path)) closeSync(openNewFile(path));
  if (!statSync(path).isFile()) throw new UserError(`${path} is in the way: remove it`);
  return openSync(path, 'r+');
}
