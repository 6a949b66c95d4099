import { closeSync, existsSync, readdirSync, readFileSync, unlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { temporaryName } from '../base/atomic-file.ts';
import { UserError } from '../base/errors.ts';
import { makeFolder, openNewFile } from '../base/shared-folder.ts';

/**
 * Who is writing. Temporary files say so in their names (host, pid, start), and a part of an index is held by
 * such a file for as long as its writer lives. What a dead writer left behind is removed by the next one;
 * what a live writer has, and what another host's writer has (nobody here can tell whether it lives), stays.
 */

const TEMPORARY = /^\.tmp-([^-]+)-(\d+)-(\d+)-[0-9a-f]{8}-(.+)$/;

interface Owner {
  readonly host: string;
  readonly pid: number;
  /** Start of the writer, milliseconds since the epoch. */
  readonly start: number;
}

/** Who owns a temporary file, by its name; null for any other file. */
export function ownerOf(name: string): Owner | null {
  const match = TEMPORARY.exec(name);
  return match ? { host: match[1] as string, pid: Number(match[2]), start: Number(match[3]) } : null;
}

const OWN = ownerOf(basename(temporaryName('self'))) as Owner;

/** A process that began this long after the name was made is another one that got the same pid. */
const REUSED_AFTER_MS = 60_000;
/** For this process's own pid (a container whose writer always has the same pid) the start is known exactly. */
const OWN_REUSED_AFTER_MS = 250;

/** True for a writer whose life can be told here. */
export function isOwnHost(owner: Owner): boolean {
  return owner.host === OWN.host;
}

/** True when the owner is certainly gone. */
export function isDead(owner: Owner): boolean {
  if (owner.host !== OWN.host) return false;
  if (owner.pid === process.pid) return ownStart() > owner.start + OWN_REUSED_AFTER_MS;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  const start = startOf(owner.pid);
  return start !== null && start > owner.start + REUSED_AFTER_MS;
}

/** Start of this process, in a worker thread too (whose performance.timeOrigin is its own). */
function ownStart(): number {
  return performance.timeOrigin + performance.now() - process.uptime() * 1000;
}

/** Start of a process in milliseconds since the epoch, to a second; null where /proc does not tell. */
function startOf(pid: number): number | null {
  try {
    const boot = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'));
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // field 22, in ticks of 10 ms; field 2 is in parentheses and may hold spaces
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return boot && ticks ? Number(boot[1]) * 1000 + Number(ticks) * 10 : null;
  } catch {
    return null;
  }
}

/**
 * Removes the temporary files of dead writers from a folder.
 * @param kept names that stay
 * @returns the names removed.
 */
export function removeDeadFiles(folder: string, kept?: ReadonlySet<string>): string[] {
  const removed: string[] = [];
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const owner = ownerOf(name);
    if (!owner || !isDead(owner) || kept?.has(name)) continue;
    removeIfThere(join(folder, name));
    removed.push(name);
  }
  return removed;
}

/** A part that a writer holds, or held when it was killed. */
export interface PartClaim {
  readonly part: string;
  readonly host: string;
  readonly pid: number;
  readonly dead: boolean;
}

/** What live, unknown and dead writers claimed in a set's index folder. */
export function partClaims(folder: string): PartClaim[] {
  return (existsSync(folder) ? readdirSync(folder) : []).flatMap((name) => {
    const owner = ownerOf(name);
    const part = /^(.+)\.claim$/.exec(TEMPORARY.exec(name)?.[4] ?? '')?.[1];
    if (!owner || part === undefined) return [];
    return [{ part, host: owner.host, pid: owner.pid, dead: isDead(owner) }];
  });
}

/** Live (or unknown) writers by the name of the part that they hold. */
export function heldParts(folder: string): Map<string, { readonly host: string; readonly pid: number }> {
  const live = partClaims(folder).filter(({ dead }) => !dead);
  return new Map(live.map(({ part, host, pid }) => [part, { host, pid }]));
}

/**
 * Claims an index part for this writer: first the own claim is made, then others are looked for, so two
 * writers can never both hold it (at worst both step back).
 * @returns a function that gives the part back.
 * @throws UserError when a live writer holds the part.
 */
export function claimPart(folder: string, part: string): () => void {
  const claim = temporaryName(join(folder, `${part}.claim`));
  makeFolder(folder);
  closeSync(openNewFile(claim));
  for (const name of readdirSync(folder)) {
    const owner = ownerOf(name);
    if (!owner || name === basename(claim) || TEMPORARY.exec(name)?.[4] !== `${part}.claim`) continue;
    if (isDead(owner)) {
      removeIfThere(join(folder, name));
      continue;
    }
    removeIfThere(claim);
    throw new UserError(
      `part "${part}" in ${folder} is being written by process ${owner.pid} on ${owner.host}: wait for it, or write ` +
        `another part; if that process is gone, remove ${join(folder, name)}`,
    );
  }
  return () => removeIfThere(claim);
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
