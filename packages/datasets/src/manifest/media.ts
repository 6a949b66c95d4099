import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Interrupted } from '../base/errors.ts';
import type { Reporter } from '../base/reporter.ts';
import { fileTrouble } from '../base/text-file.ts';
import type { Finding, FindingKind, FindingLevel } from './finding.ts';
import { HeaderError } from './header-error.ts';
import type { MediaCache, MediaFacts } from './media-cache.ts';
import { readMediaHeader } from './media-header.ts';
import { placeSegment } from './segment.ts';
import type { Utterance } from './utterance.ts';

/**
 * What is read of the media: nothing at all, headers only, or headers and the sha256 of every file.
 * Fields that were not read are null.
 */
export type MediaMode = 'none' | 'headers' | 'hash';

export interface MediaPass {
  readonly root: string;
  readonly mode: MediaMode;
  readonly cache: MediaCache;
  readonly reporter: Reporter;
  readonly signal?: AbortSignal | undefined;
}

/** Tag of a row whose media is not as it should be: `missing`, `corrupt`, `empty`, `truncated` or `segment`. */
export const MEDIA_TAG = 'media';

/** How many files are open at once: enough to hide the latency of a network file system. */
const IN_FLIGHT = 8;
const PIECE = 1 << 20;

/**
 * Fills in the media of every row: length, rate and channels of the first audio stream from the header, sha256. A row whose file is
 * missing or cannot be read stays, with media null and the tag; a file of no samples keeps its media and is tagged.
 * @returns the rows in their order, and a finding for each row in trouble.
 * @throws Interrupted when the signal fires; what was read so far is in the cache.
 */
export async function readMedia(
  rows: readonly Utterance[],
  pass: MediaPass,
): Promise<{ utterances: Utterance[]; problems: Finding[] }> {
  if (pass.mode === 'none') return { utterances: [...rows], problems: [] };
  const utterances = [...rows];
  const problems: (Finding | null)[] = rows.map(() => null);
  const byPath = new Map<string, Promise<Outcome>>();
  let next = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    while (next < rows.length) {
      if (pass.signal?.aborted === true) throw new Interrupted('stopped while reading media');
      const i = next++;
      const row = rows[i] as Utterance;
      if (row.media !== null) {
        const { path } = row.media;
        const reading = byPath.get(path) ?? readOne(path, pass);
        byPath.set(path, reading);
        const outcome = await reading;
        const placed = placeSegment(withOutcome(row, outcome));
        utterances[i] = placed.utterance;
        problems[i] = outcome.trouble === null ? placed.problem : { ...outcome.trouble, id: row.id };
      }
      done++;
      if (done % 64 === 0 || done === rows.length) {
        pass.reporter.progress({ task: 'media', done, total: rows.length, unit: 'files' });
      }
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return { utterances, problems: problems.filter((one) => one !== null) };
}

interface Outcome {
  readonly facts: MediaFacts | null;
  readonly tag: string | null;
  readonly trouble: Omit<Finding, 'id'> | null;
}

function withOutcome(row: Utterance, outcome: Outcome): Utterance {
  const tags = outcome.tag === null ? row.tags : { ...row.tags, [MEDIA_TAG]: outcome.tag };
  if (outcome.facts === null || row.media === null) return { ...row, media: null, tags };
  return { ...row, media: { ...row.media, ...outcome.facts }, tags };
}

async function readOne(path: string, pass: MediaPass): Promise<Outcome> {
  const file = join(pass.root, path);
  let info: BigIntStats;
  try {
    info = await stat(file, { bigint: true });
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return lost(
      missing ? 'missing' : 'corrupt',
      missing ? 'media-missing' : 'media-undecodable',
      path,
      fileTrouble(error),
    );
  }
  if (!info.isFile()) return lost('corrupt', 'media-undecodable', path, 'not a file');
  const cached = pass.cache.find(path, info, pass.mode === 'hash');
  try {
    const facts = cached ?? (await readFacts(file, Number(info.size), pass.mode));
    if (cached === null) pass.cache.keep(path, info, facts);
    return judge(path, pass.mode === 'hash' ? facts : { ...facts, sha256: null });
  } catch (error) {
    if (error instanceof HeaderError) {
      if (info.size === 0n) return lost('empty', 'media-empty', path, error.message);
      return lost('corrupt', 'media-undecodable', path, error.message);
    }
    return lost('corrupt', 'media-undecodable', path, fileTrouble(error));
  }
}

function lost(tag: string, kind: FindingKind, file: string, found: string): Outcome {
  const trouble = {
    kind,
    level: 'error',
    file,
    line: null,
    expected: 'a readable recording',
    found,
  } as const;
  return { facts: null, tag, trouble };
}

function judge(path: string, facts: MediaFacts): Outcome {
  const { truncated, unread, ...media } = facts;
  const trouble = (
    kind: FindingKind,
    expected: string,
    found: string,
    level: FindingLevel = 'error',
  ): Outcome['trouble'] => ({ kind, level, file: path, line: null, expected, found });
  if (unread !== undefined) {
    const expected = 'a header that tells length, rate and channels';
    return { facts: media, tag: null, trouble: trouble('media-unread', expected, unread, 'warning') };
  }
  if (media.seconds === 0) {
    return { facts: media, tag: 'empty', trouble: trouble('media-empty', 'sound', 'a header and 0 samples') };
  }
  if (truncated === true) {
    const found = media.seconds === null ? 'the file ends early' : `the file ends after ${media.seconds} s`;
    return {
      facts: media,
      tag: 'truncated',
      trouble: trouble('media-truncated', 'all that its header promises', found),
    };
  }
  return { facts: media, tag: null, trouble: null };
}

/** @throws HeaderError, or the file system's error. */
async function readFacts(file: string, size: number, mode: MediaMode): Promise<MediaFacts> {
  if (size === 0) throw new HeaderError('a file of 0 bytes');
  const handle = await open(file, 'r');
  try {
    const header = await readMediaHeader(file, handle, size);
    return { ...header, sha256: mode === 'hash' ? await hashFile(handle, size) : null };
  } finally {
    await handle.close();
  }
}

async function hashFile(handle: FileHandle, size: number): Promise<string> {
  const hash = createHash('sha256');
  const piece = Buffer.allocUnsafe(Math.min(PIECE, size));
  for (let at = 0; ;) {
    const { bytesRead } = await handle.read(piece, 0, piece.length, at);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(piece.subarray(0, bytesRead));
    at += bytesRead;
  }
}
