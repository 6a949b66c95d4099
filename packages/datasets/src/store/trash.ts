import { cpSync, existsSync, lstatSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { UserError } from '../base/errors.ts';
import { makeFolder } from '../base/shared-folder.ts';
import { checkName } from './layout.ts';

/** What is taken out of use lies here until it is this old. */
export const TRASH_DAYS = 14;

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const DAY_MS = 86_400_000;

/** The calendar day (UTC) of a moment, as trash folders are named. */
export function dayOf(now: Date): string {
  return now.toISOString().slice(0, 10);
}

export function trashFolder(store: string, dataset: string): string {
  return join(store, checkName('dataset', dataset), 'trash');
}

/**
 * Moves a file or folder of a dataset to `<store>/<dataset>/trash/<day>/`, where it keeps its path.
 * @returns where it lies now; null where somebody else took it away first.
 */
export function moveToTrash(store: string, dataset: string, path: string, now: Date): string | null {
  const inside = relative(join(store, dataset), path);
  if (inside.startsWith('..')) throw new Error(`${path} does not lie in ${join(store, dataset)}`);
  const wanted = join(trashFolder(store, dataset), dayOf(now), inside);
  makeFolder(dirname(wanted));
  let target = wanted;
  for (let i = 2; existsSync(target); i++) target = `${wanted}.${i}`;
  try {
    renameSync(path, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !existsSync(path)) return null;
    // a set that lies on another disk (a link)
    if (code !== 'EXDEV') throw error;
    cpSync(path, target, { recursive: true, preserveTimestamps: true });
    rmSync(path, { recursive: true });
  }
  return target;
}

/** One day's trash. */
export interface TrashedDay {
  readonly day: string;
  readonly path: string;
  readonly bytes: number;
}

/** The days of a dataset's trash that are older than `TRASH_DAYS`. */
export function oldTrash(store: string, dataset: string, now: Date): TrashedDay[] {
  const folder = trashFolder(store, dataset);
  const oldest = dayOf(new Date(now.getTime() - TRASH_DAYS * DAY_MS));
  return (existsSync(folder) ? readdirSync(folder) : [])
    .filter((day) => DAY.test(day) && day < oldest)
    .map((day) => ({ day, path: join(folder, day), bytes: bytesBelow(join(folder, day)) }));
}

/** @throws UserError where the account may not remove it. */
export function emptyTrash(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    throw new UserError(`${path} may not be removed: ask its owner`);
  }
}

/** Size of all files below a path, links not followed. */
export function bytesBelow(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path, { withFileTypes: true }).reduce(
    (sum, entry) => sum + (entry.isSymbolicLink() ? 0 : bytesBelow(join(path, entry.name))),
    0,
  );
}

/** Numeric ids of the accounts that own a path or anything below it, each once. */
export function ownersBelow(path: string): number[] {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return [];
  const below = stat.isDirectory() ? readdirSync(path).flatMap((name) => ownersBelow(join(path, name))) : [];
  return [...new Set([stat.uid, ...below])];
}
