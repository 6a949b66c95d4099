import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../base/atomic-file.ts';

/** Lies in a set's folder from a pull's first shard to its index part, and says where the shards come from. */
const MARK = '.pulling';

/** A pull begins: shards come before the index that lists them. */
export function markPull(folder: string, remote: string): void {
  if (stoppedPull(folder) !== remote) writeFileAtomic(join(folder, MARK), `${remote}\n`);
}

/** The index part is written. */
export function unmarkPull(folder: string): void {
  rmSync(join(folder, MARK), { force: true });
}

/** The remote that a pull into the set has not brought everything from; null where none was stopped. */
export function stoppedPull(folder: string): string | null {
  try {
    return readFileSync(join(folder, MARK), 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
