import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { syncFolder, temporaryName, writeAll } from '../base/atomic-file.ts';
import { UserError } from '../base/errors.ts';
import { makeFolder, openNewFile } from '../base/shared-folder.ts';
import { orUserError } from '../store/disk-error.ts';
import { isWritable } from '../store/layout.ts';
import { removeDeadFiles } from '../store/writer-lease.ts';
import { piecesOf } from './outgoing.ts';
import { isTemporary, type Outgoing, type Received, type Remote, type RemoteFile } from './remote.ts';
import { stopIfAsked } from './retry.ts';

const PUSH_ELSEWHERE = 'push to another place';

/** A folder of this machine or a mounted one (NFS). What is pushed there is a store that can be read in place. */
export class FolderRemote implements Remote {
  readonly title: string;
  readonly writable: boolean;
  readonly refusal: string;
  readonly #folder: string;
  readonly #swept = new Set<string>();

  constructor(folder: string) {
    const found = statSync(folder, { throwIfNoEntry: false });
    if (found !== undefined && !found.isDirectory())
      throw new UserError(`${folder} is a file: expected a folder to share features in`);
    this.title = folder;
    this.#folder = folder;
    this.writable = isWritable(folder);
    this.refusal = `${folder} may not be written by this account: ask its owner for rights to it, or ${PUSH_ELSEWHERE}`;
  }

  async list(folder: string): Promise<RemoteFile[]> {
    const files: RemoteFile[] = [];
    const walk = (path: string): void => {
      for (const entry of readdirSync(path, { withFileTypes: true })) {
        const inside = join(path, entry.name);
        if (isTemporary(entry.name)) continue;
        const stat = statSync(inside, { throwIfNoEntry: false });
        if (stat?.isDirectory()) walk(inside);
        else if (stat?.isFile()) files.push({ path: this.#inside(inside), bytes: stat.size });
      }
    };
    const start = join(this.#folder, folder);
    if (existsSync(start)) walk(start);
    return files;
  }

  #inside(path: string): string {
    return relative(this.#folder, path).split('\\').join('/');
  }

  async size(path: string): Promise<number | null> {
    const stat = statSync(join(this.#folder, path), { throwIfNoEntry: false });
    return stat?.isFile() ? stat.size : null;
  }

  async read(path: string, from: number): Promise<Received | null> {
    const total = await this.size(path);
    if (total === null) return null;
    const options = { start: from, highWaterMark: 1 << 20 };
    return { from, total, body: createReadStream(join(this.#folder, path), options) };
  }

  async write(file: Outgoing, signal?: AbortSignal): Promise<void> {
    const target = join(this.#folder, file.path);
    const folder = dirname(target);
    const temporary = temporaryName(target);
    const fd = orUserError(
      folder,
      () => {
        makeFolder(folder);
        if (!this.#swept.has(folder)) removeDeadFiles(folder);
        this.#swept.add(folder);
        return openNewFile(temporary);
      },
      PUSH_ELSEWHERE,
    );
    try {
      try {
        for await (const piece of piecesOf(file)) {
          stopIfAsked(signal);
          orUserError(folder, () => writeAll(fd, piece), PUSH_ELSEWHERE);
        }
        orUserError(folder, () => fsyncSync(fd), PUSH_ELSEWHERE);
      } finally {
        closeSync(fd);
      }
      orUserError(folder, () => renameSync(temporary, target), PUSH_ELSEWHERE);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
    syncFolder(folder);
  }

  async close(): Promise<void> {}
}
