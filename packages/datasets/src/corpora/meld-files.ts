import { readdirSync, readFileSync, realpathSync, statSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { fileTrouble } from '../base/text-file.ts';
import type { RowCollector } from './adapter.ts';

export const MELD_SPLITS = ['train', 'dev', 'test'] as const;
export type MeldSplit = (typeof MELD_SPLITS)[number];

/** A recording that is named as no utterance is. */
export interface OddClip {
  readonly split: MeldSplit;
  /** Relative to the root. */
  readonly path: string;
}

/** Where a copy of MELD keeps what; paths are relative to the root. */
export interface MeldFiles {
  /** The annotations of each split that has some. */
  readonly tables: ReadonlyMap<MeldSplit, string>;
  /** Clips by `dia0_utt0`. */
  readonly clips: Readonly<Record<MeldSplit, ReadonlyMap<string, string>>>;
  /** The first folder of each split's clips. */
  readonly folders: ReadonlyMap<MeldSplit, string>;
  readonly oddClips: readonly OddClip[];
  /** Archives that lie there packed. */
  readonly archives: readonly string[];
}

/** `<root>/MELD-RAW/MELD.Raw/train/train_splits` is the deepest that circulates. */
const DEEPEST = 4;
/** A root with more folders than this is no corpus. */
const MOST_FOLDERS = 2000;

const TABLE = /^(train|dev|test)_sent_emo\.csv$/i;
const CLIP = /^dia(\d+)_utt(\d+)\.(mp4|mkv|mov|avi|m4a|wav|flac)$/i;
const RECORDING = /\.(mp4|mkv|mov|avi|m4a|wav|flac)$/i;
const ARCHIVE = /\.(tar|tar\.gz|tgz|zip)$/i;

/** The name of an utterance's clip, without its ending. */
export function clipName(dialogue: number, utterance: number): string {
  return `dia${dialogue}_utt${utterance}`;
}

/**
 * Finds annotations and clips below a root, whatever of the layouts that circulate it is: annotations beside the
 * splits' folders or inside them, clips in `train/train_splits` or `train_splits`, all of it below `MELD.Raw` or not.
 * A folder's split is the innermost part of its path that says train, dev (val) or test. Folders that cannot be read,
 * links that lead nowhere or round in a circle, and second copies are reported and passed over.
 */
export function findMeldFiles(root: string, rows: RowCollector): MeldFiles {
  return new Search(root, rows).run();
}

class Search {
  private readonly root: string;
  private readonly rows: RowCollector;
  private readonly tables = new Map<MeldSplit, string>();
  private readonly clips = {
    train: new Map<string, string>(),
    dev: new Map<string, string>(),
    test: new Map<string, string>(),
  };
  private readonly folders = new Map<MeldSplit, string>();
  private readonly oddClips: OddClip[] = [];
  private readonly archives: string[] = [];
  private readonly seen = new Set<string>();

  constructor(root: string, rows: RowCollector) {
    this.root = root;
    this.rows = rows;
  }

  /** Breadth first, so that of two copies the outer one is used; by name, so that the order of the disk is none. */
  run(): MeldFiles {
    let level = [''];
    this.seen.add(realpathSync(this.root));
    for (let depth = 0; depth <= DEEPEST && level.length > 0; depth++) {
      level = level.flatMap((folder) => this.readFolder(folder));
      if (this.seen.size > MOST_FOLDERS) {
        this.report(
          'warning',
          '.',
          `${MOST_FOLDERS} folders or fewer`,
          'more: those further in were not read',
        );
        break;
      }
    }
    const { tables, clips, folders, oddClips, archives } = this;
    return { tables, clips, folders, oddClips, archives };
  }

  /** @returns the folders in it. */
  private readFolder(folder: string): string[] {
    const entries = this.list(folder);
    const split = splitOf(folder);
    const inner: string[] = [];
    let leftovers = 0;
    let doubles = 0;
    let homeless = 0;
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.name.startsWith('._')) leftovers++;
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory()) inner.push(...this.follow(path));
      else if (TABLE.test(entry.name)) this.takeTable(path, entry.name);
      else if (ARCHIVE.test(entry.name)) this.archives.push(path);
      else if (RECORDING.test(entry.name)) {
        if (split === null) homeless++;
        else if (!this.takeClip(split, folder, path, entry.name)) doubles++;
      } else if (entry.isSymbolicLink()) inner.push(...this.follow(path));
    }
    const place = folder === '' ? '.' : folder;
    if (leftovers > 0)
      this.report('known', place, 'no leftovers of macOS', `${leftovers} files ._*, passed over`);
    if (doubles > 0) this.report('warning', place, 'one clip of each utterance', `${doubles} more, not used`);
    if (homeless > 0) {
      const found = `${homeless} recordings in a folder that says none of them`;
      this.report('warning', place, 'clips in a folder of train, dev or test', found);
    }
    return inner;
  }

  private list(folder: string): Dirent[] {
    try {
      return readdirSync(join(this.root, folder), { withFileTypes: true }).sort((a, b) =>
        a.name < b.name ? -1 : 1,
      );
    } catch (error) {
      this.report('error', folder, 'a folder that can be read', fileTrouble(error));
      return [];
    }
  }

  /** @returns the folder, unless it was read already. */
  private enter(path: string): string[] {
    const real = realpathSync(join(this.root, path));
    if (this.seen.has(real)) {
      const found = 'a symbolic link leads to it as well: read once';
      this.report('warning', path, 'each folder once', found);
      return [];
    }
    this.seen.add(real);
    return [path];
  }

  private follow(path: string): string[] {
    try {
      return statSync(join(this.root, path)).isDirectory() ? this.enter(path) : [];
    } catch (error) {
      this.report('error', path, 'a symbolic link that leads somewhere', fileTrouble(error));
      return [];
    }
  }

  private takeTable(path: string, name: string): void {
    const split = TABLE.exec(name)?.[1]?.toLowerCase() as MeldSplit;
    const first = this.tables.get(split);
    if (first === undefined) this.tables.set(split, path);
    else if (!sameBytes(join(this.root, first), join(this.root, path))) {
      this.report('warning', path, `the same annotations as in ${first}`, `others (${first} is used)`);
    }
  }

  /** @returns whether it is the first of its name; a film's clip goes before an extract of its sound. */
  private takeClip(split: MeldSplit, folder: string, path: string, name: string): boolean {
    const parts = CLIP.exec(name);
    if (parts === null) {
      this.oddClips.push({ split, path });
      return true;
    }
    if (!this.folders.has(split)) this.folders.set(split, folder);
    const key = clipName(Number(parts[1]), Number(parts[2]));
    const first = this.clips[split].get(key);
    if (first !== undefined && (/\.mp4$/i.test(first) || !/\.mp4$/i.test(name))) return false;
    this.clips[split].set(key, path);
    return first === undefined;
  }

  private report(level: 'error' | 'warning' | 'known', file: string, expected: string, found: string): void {
    this.rows.report('layout', level, { file, line: null }, expected, found);
  }
}

/** The split that the innermost part of a folder's path names. */
function splitOf(folder: string): MeldSplit | null {
  for (const part of folder.toLowerCase().split('/').reverse()) {
    const words = part.split(/[^a-z]+/);
    if (words.includes('train')) return 'train';
    if (words.some((word) => /^(dev|val|valid|validation)$/.test(word))) return 'dev';
    if (words.includes('test')) return 'test';
  }
  return null;
}

function sameBytes(a: string, b: string): boolean {
  try {
    return readFileSync(a).equals(readFileSync(b));
  } catch {
    return false;
  }
}
