import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { makeFolder, openNewFile } from './shared-folder.ts';

/**
 * Name of a temporary file beside its target: `.tmp-<host>-<pid>-<start>-<random>-<name>`, so that the
 * files of a dead writer can be told from those of a live one.
 */
export function temporaryName(target: string): string {
  const host = hostname().replaceAll(/[^A-Za-z0-9.]/g, '_');
  const tag = `${host}-${process.pid}-${PROCESS_START}-${randomBytes(4).toString('hex')}`;
  return join(dirname(target), `.tmp-${tag}-${basename(target)}`);
}

/** Start of this process in milliseconds since the epoch: tells a reused pid from the writer's own. */
const PROCESS_START = Math.round(performance.timeOrigin);

/** fsync of a folder, so that a rename inside it survives a power cut. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Writes all bytes, in pieces below 2 GiB (Node's limit for one write). */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, Math.min(bytes.length - at, 1 << 30));
}

/**
 * Writes a whole file or none of it: temporary file in the same folder, fsync, rename, fsync of the folder.
 * Missing folders are made; rights follow the folder (see shared-folder.ts).
 * @throws the file system's error; the temporary file is removed then.
 */
export function writeFileAtomic(target: string, data: string | Uint8Array): void {
  makeFolder(dirname(target));
  const temporary = temporaryName(target);
  const fd = openNewFile(temporary);
  try {
    try {
      writeAll(fd, typeof data === 'string' ? Buffer.from(data, 'utf8') : data);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, target);
  } catch (error) {
    try {
      unlinkSync(temporary);
    } catch {
      // already renamed or never made: the first error is the one to report
    }
    throw error;
  }
  syncFolder(dirname(target));
}
