import { constants, copyFileSync, linkSync } from 'node:fs';

/**
 * Gives a file a second name without copying it; where that is not possible (another file system, a file of
 * somebody else) it is copied, sharing its blocks where the file system can.
 * @returns whether it was linked
 */
export function linkOrCopy(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch {
    copyFileSync(from, to, constants.COPYFILE_FICLONE);
    return false;
  }
}
