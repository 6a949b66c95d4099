import { closeSync, existsSync, fsyncSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { syncFolder, temporaryName, writeAll, writeFileAtomic } from '../base/atomic-file.ts';
import { UserError } from '../base/errors.ts';
import { makeFolder, openNewFile } from '../base/shared-folder.ts';
import { isDead, ownerOf } from '../store/writer-lease.ts';

/** File that tells an export from any other folder; written last. */
export const EXPORT_RECORD = 'lsgmer-export.json';

/** A folder that appears under its name when it is whole, or not at all. */
export class ExportFolder {
  readonly #target: string;
  readonly #temporary: string;

  /**
   * @param replace an earlier export of that name is replaced.
   * @throws UserError where something is there already.
   */
  constructor(out: string, replace: boolean) {
    this.#target = resolve(out);
    checkFree(this.#target, replace);
    this.#temporary = temporaryName(this.#target);
    removeDeadFolders(this.#target);
    makeFolder(this.#temporary);
  }

  /** Opens a file inside; its folders are made. */
  create(path: string): ExportFile {
    return new ExportFile(join(this.#temporary, path));
  }

  /** Writes the record and gives the folder its name. */
  seal(record: object): void {
    writeFileAtomic(join(this.#temporary, EXPORT_RECORD), `${JSON.stringify(record, null, 2)}\n`);
    const before = existsSync(this.#target) ? temporaryName(this.#target) : null;
    if (before !== null) renameSync(this.#target, before);
    renameSync(this.#temporary, this.#target);
    syncFolder(dirname(this.#target));
    if (before !== null) rmSync(before, { recursive: true });
  }

  /** Drops what was not sealed. */
  discard(): void {
    rmSync(this.#temporary, { recursive: true, force: true });
  }
}

/** One file of an export, written from its beginning to its end. */
export class ExportFile {
  readonly #fd: number;

  constructor(path: string) {
    makeFolder(dirname(path));
    this.#fd = openNewFile(path);
  }

  write(bytes: Uint8Array): void {
    writeAll(this.#fd, bytes);
  }

  /** The bytes are on the disk afterwards. */
  close(): void {
    try {
      fsyncSync(this.#fd);
    } finally {
      closeSync(this.#fd);
    }
  }
}

function checkFree(target: string, replace: boolean): void {
  const stat = statSync(target, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (stat.isDirectory() && readdirSync(target).length === 0) return;
  const isExport = stat.isDirectory() && existsSync(join(target, EXPORT_RECORD));
  if (isExport && replace) return;
  throw new UserError(
    isExport
      ? `${target} is an export already: choose another --out, or replace it with --force`
      : `${target} is there already and is no export (it has no ${EXPORT_RECORD}): choose another --out`,
  );
}

/** What an export that was killed left beside the target. */
function removeDeadFolders(target: string): void {
  const parent = dirname(target);
  for (const name of existsSync(parent) ? readdirSync(parent) : []) {
    const owner = ownerOf(name);
    if (owner && isDead(owner) && name.endsWith(`-${basename(target)}`))
      rmSync(join(parent, name), { recursive: true, force: true });
  }
}
