import type { BigIntStats } from 'node:fs';
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeFileAtomic } from '../base/atomic-file.ts';

/** Raised when headers are read in another way, so that what older versions read is read again. */
const FORMAT = 2;

/** What was read of one media file. */
const MediaFacts = z.strictObject({
  sha256: z.string().nullable(),
  seconds: z.number().nullable(),
  sampleRate: z.number().nullable(),
  channels: z.number().nullable(),
  truncated: z.literal(true).optional(),
  unread: z.string().optional(),
});
export type MediaFacts = z.infer<typeof MediaFacts>;

const CacheFile = z.strictObject({
  format: z.literal(FORMAT),
  /** The corpus root that the paths belong to. */
  root: z.string(),
  /** By path: `size:mtime in ns:inode`, and the facts. */
  files: z.record(z.string(), z.tuple([z.string(), MediaFacts])),
});

/**
 * Remembers what was read of each media file, so that an unchanged one (path, size, mtime, inode) is not opened
 * again. It belongs to one machine and is worth nothing elsewhere: losing it costs time only, so a file that does
 * not read well is taken as empty.
 */
export class MediaCache {
  private readonly file: string | null;
  private readonly root: string;
  private readonly files: Map<string, readonly [string, MediaFacts]>;
  private changed = false;
  /** Files that did not have to be opened. */
  hits = 0;

  /** @param file where it is kept; null for one that is forgotten. */
  constructor(file: string | null, root: string) {
    this.file = file;
    this.root = root;
    this.files = new Map(file === null ? [] : Object.entries(load(file, root)));
  }

  find(path: string, info: BigIntStats, hashed: boolean): MediaFacts | null {
    const entry = this.files.get(path);
    if (entry === undefined || entry[0] !== stamp(info)) return null;
    if (hashed && entry[1].sha256 === null) return null;
    this.hits++;
    return entry[1];
  }

  /** Whether anything is remembered of a file, as it is or as it was. */
  has(path: string): boolean {
    return this.files.has(path);
  }

  keep(path: string, info: BigIntStats, facts: MediaFacts): void {
    this.files.set(path, [stamp(info), facts]);
    this.changed = true;
  }

  /** Writes the file where something was added. */
  save(): void {
    if (this.file === null || !this.changed) return;
    const files = Object.fromEntries(this.files);
    writeFileAtomic(this.file, JSON.stringify({ format: FORMAT, root: this.root, files }));
    this.changed = false;
  }
}

function stamp(info: BigIntStats): string {
  return `${info.size}:${info.mtimeNs}:${info.ino}`;
}

function load(file: string, root: string): Record<string, [string, MediaFacts]> {
  if (!existsSync(file)) return {};
  try {
    const parsed = CacheFile.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    return parsed.success && parsed.data.root === root ? parsed.data.files : {};
  } catch {
    return {};
  }
}
