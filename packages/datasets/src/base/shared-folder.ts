import {
  chmodSync,
  chownSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  mkdirSync,
  openSync,
  statSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Who may use what is written: whoever may use the folder that it is written to. A new folder takes group, setgid
 * and rights of its parent; a new file is readable by the folder's group, and writable where the folder is;
 * whatever the umask, so that a team's store needs no chmod. Nobody outside the group ever gets write rights, and
 * a folder that everybody may write to (/tmp) says nothing about its content: there the umask stands.
 */

const GROUP_ALL = 0o070;
const GROUP_READ = 0o040;
const GROUP_WRITE = 0o020;
const OTHER_READ_ENTER = 0o005;
const OTHER_READ = 0o004;
const OTHER_WRITE = 0o002;
const SETGID = 0o2000;

/** Makes a folder and those above it that are missing. @throws the file system's error. */
export function makeFolder(path: string): void {
  const folder = resolve(path);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  const parent = dirname(folder);
  if (parent !== folder) makeFolder(parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    // somebody else made it at the same moment, and minds its rights
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && statSync(folder).isDirectory()) return;
    throw error;
  }
  shareFolder(folder, parent);
}

function shareFolder(folder: string, parent: string): void {
  const above = statSync(parent);
  if ((above.mode & OTHER_WRITE) !== 0) return;
  if (statSync(folder).gid !== above.gid) ignoringRefusal(() => chownSync(folder, -1, above.gid));
  const own = statSync(folder);
  const group = own.gid === above.gid ? above.mode & (GROUP_ALL | SETGID) : 0;
  const mode = own.mode | group | (above.mode & OTHER_READ_ENTER);
  // an account outside the group would lose setgid by a chmod that changes nothing
  if (mode !== own.mode) ignoringRefusal(() => chmodSync(folder, mode & 0o7777));
}

/** Opens a file that must not exist yet for writing. @throws the file system's error. */
export function openNewFile(path: string): number {
  const fd = openSync(path, 'wx');
  const above = statSync(dirname(resolve(path)));
  if ((above.mode & OTHER_WRITE) !== 0) return fd;
  if (fstatSync(fd).gid !== above.gid) ignoringRefusal(() => fchownSync(fd, -1, above.gid));
  const own = fstatSync(fd);
  const group = own.gid === above.gid ? GROUP_READ | (above.mode & GROUP_WRITE) : 0;
  const mode = own.mode | group | (above.mode & OTHER_READ);
  if (mode !== own.mode) ignoringRefusal(() => fchmodSync(fd, mode & 0o7777));
  return fd;
}

/** Some accounts and some file systems may not change groups or rights: the file is theirs alone then, and whole. */
function ignoringRefusal(change: () => void): void {
  try {
    change();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS' && code !== 'EINVAL') throw error;
  }
}
