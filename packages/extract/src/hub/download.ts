import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Reporter, UserError, makeFolder, syncFolder, writeAll } from '@lsgmer/datasets';

/** What a file must be, by its owner's word. */
export interface ExpectedContent {
  /** Bytes; unknown where the server does not say. */
  readonly size?: number;
  /** First digits (or all) of its sha256, or of its sha1 as git names a blob. */
  readonly sha256?: string;
  readonly gitSha1?: string;
}

export interface Download {
  /** Where the file is to lie. Its folder is made. */
  readonly target: string;
  /** As it is shown: where it comes from. */
  readonly from: string;
  readonly expected: ExpectedContent;
  /** Opens the content from a byte on. */
  readonly open: (from: number) => Promise<AsyncIterable<Uint8Array>>;
  readonly reporter: Reporter;
  readonly signal?: AbortSignal;
}

/** A connection that breaks is taken up again so often without a byte in between. */
const ATTEMPTS = 4;
const PAUSE_MS = 500;
/** An unfinished file that nobody has touched for so long has lost its writer. */
const ABANDONED_MS = 60_000;

/**
 * Fetches a file: goes on where an earlier try was cut off (also one of another tool with the same cache), checks
 * size and digest, and gives the file its name only then.
 * @throws UserError when the connection fails for good or the content is not what it should be
 */
export async function download(request: Download): Promise<void> {
  const { target, from, expected, signal } = request;
  makeFolder(dirname(target));
  const part = claim(target);
  try {
    await fill(part, request);
  } catch (error) {
    // What has arrived waits for the next try.
    renameSync(part, `${target}.incomplete`);
    if (signal?.aborted === true || error instanceof UserError) throw error;
    throw new UserError(
      `${from} could not be fetched to the end (${reasonOf(error)}): what has arrived is kept, and the same command goes on`,
    );
  }
  const wrong = await difference(part, expected);
  if (wrong !== undefined) {
    rmSync(part);
    throw new UserError(`${from} is not what it should be: ${wrong}; it was removed, fetch it again`);
  }
  renameSync(part, target);
  syncFolder(dirname(target));
}

/** Takes over what an earlier try has left, under a name of our own: two processes never write one file. */
function claim(target: string): string {
  const folder = dirname(target);
  const name = basename(target);
  const own = join(folder, `${name}.${randomBytes(4).toString('hex')}.incomplete`);
  closeSync(openSync(own, 'wx'));
  // The file system's clock, which the other files' times are of, too.
  const now = statSync(own).mtimeMs;
  const left = readdirSync(folder)
    .filter((file) => file.startsWith(name) && file.endsWith('.incomplete'))
    .map((file) => join(folder, file))
    .filter((path) => path === `${target}.incomplete` || now - statSync(path).mtimeMs > ABANDONED_MS)
    .sort((a, b) => statSync(b).size - statSync(a).size);
  for (const path of left) {
    try {
      renameSync(path, own);
      break;
    } catch {
      // another process was faster
    }
  }
  return own;
}

async function fill(part: string, { from, expected, open, reporter, signal }: Download): Promise<void> {
  const total = expected.size ?? 0;
  let failures = 0;
  const fd = openSync(part, 'a');
  try {
    for (;;) {
      const before = statSync(part).size;
      if (expected.size !== undefined && before >= expected.size) return;
      let have = before;
      try {
        for await (const chunk of await open(before)) {
          signal?.throwIfAborted();
          writeAll(fd, chunk);
          have += chunk.length;
          reporter.progress({ task: from, done: have, total: Math.max(total, have), unit: 'bytes' });
        }
        if (expected.size === undefined || have >= expected.size) return;
        throw new Error(`the connection ended after ${have} of ${expected.size} bytes`);
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof UserError) throw error;
        failures = have > before ? 1 : failures + 1;
        if (failures >= ATTEMPTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * failures));
      }
    }
  } finally {
    fsyncSync(fd);
    closeSync(fd);
  }
}

async function difference(
  path: string,
  { size, sha256, gitSha1 }: ExpectedContent,
): Promise<string | undefined> {
  const found = statSync(path).size;
  if (size !== undefined && found !== size) return `it has ${found} bytes, expected ${size}`;
  const hash = gitSha1 === undefined ? createHash('sha256') : createHash('sha1').update(`blob ${found}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk as Buffer);
  const digest = hash.digest('hex');
  const wanted = sha256 ?? gitSha1 ?? '';
  if (digest.startsWith(wanted)) return undefined;
  return `its ${gitSha1 === undefined ? 'sha256' : 'git sha1'} is ${digest}, expected ${wanted}`;
}

/** What fetch hides behind "fetch failed". */
export function reasonOf(error: unknown): string {
  if (typeof error === 'string') return error;
  if (!(error instanceof Error)) return 'unknown';
  const { cause } = error;
  const deeper = cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause;
  return deeper instanceof Error ? `${error.message}: ${deeper.message}` : error.message;
}
