import { closeSync, existsSync, openSync, readdirSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isDead, isOwnHost, makeFolder, openNewFile, ownerOf, temporaryName } from '@lsgmer/datasets';

/** A claim file's name tells who holds it: `.tmp-<host>-<pid>-<start>-<random>-claim`. */
const NAME = /-claim$/;
/** The holder touches its claim this often. */
const BEAT_MS = 10_000;
/** A claim of another host that was not touched for so long belongs to nobody. */
const SILENT_MS = 300_000;

/** Whoever holds a run. */
export interface Holder {
  readonly host: string;
  readonly pid: number;
}

/**
 * The right to work on a run, so that several processes and machines work off one plan: a file in the run's folder,
 * touched every ten seconds. It ends with its process: on the same host by pid and start, elsewhere by its silence.
 */
export class RunClaim {
  private readonly path: string;
  private readonly timer: NodeJS.Timeout;
  private readonly loss = new AbortController();

  private constructor(path: string) {
    this.path = path;
    this.timer = setInterval(() => this.beat(), BEAT_MS);
    this.timer.unref();
  }

  /**
   * Claims a run: the own file is made first, then others are looked for, so that two can never both hold it (at
   * worst both step back, and try again later).
   * @returns undefined where somebody holds it
   */
  static take(folder: string): RunClaim | undefined {
    makeFolder(folder);
    const certain = claimsIn(folder).some(({ owner }) => isOwnHost(owner) && !isDead(owner));
    if (certain) return undefined;
    const path = temporaryName(join(folder, 'claim'));
    closeSync(openNewFile(path));
    const now = statSync(path).mtimeMs; // on the clock of this file system, whatever the hosts' say
    for (const { name, owner } of claimsIn(folder)) {
      if (name === basename(path)) continue;
      if (isSilent(join(folder, name), owner, now)) removeIfThere(join(folder, name));
      else {
        removeIfThere(path);
        return undefined;
      }
    }
    return new RunClaim(path);
  }

  /** Aborted where somebody took the run over, because this process was silent (suspended, cut off) for too long. */
  get lost(): AbortSignal {
    return this.loss.signal;
  }

  /** Shows that its holder lives: a byte is written, so that the file system sets the time by its own clock. */
  beat(): void {
    try {
      const fd = openSync(this.path, 'r+');
      writeSync(fd, '.', 0);
      closeSync(fd);
    } catch (error) {
      // anything else (a share that is away) may pass: the run itself will say so
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.loss.abort();
    }
  }

  release(): void {
    clearInterval(this.timer);
    removeIfThere(this.path);
  }
}

/** Everybody who holds a run or left a claim behind that nobody took over yet; for messages. */
export function holdersOf(folder: string): Holder[] {
  return claimsIn(folder).flatMap(({ owner }) =>
    isOwnHost(owner) && isDead(owner) ? [] : [{ host: owner.host, pid: owner.pid }],
  );
}

interface Claim {
  readonly name: string;
  readonly owner: NonNullable<ReturnType<typeof ownerOf>>;
}

function claimsIn(folder: string): Claim[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const owner = NAME.test(name) ? ownerOf(name) : null;
    return owner === null ? [] : [{ name, owner }];
  });
}

/** @param now milliseconds on the clock of the file's times */
function isSilent(path: string, owner: Claim['owner'], now: number): boolean {
  if (isOwnHost(owner)) return isDead(owner);
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined || now - found.mtimeMs > SILENT_MS;
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
