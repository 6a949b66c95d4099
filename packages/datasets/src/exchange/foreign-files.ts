import { readdirSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { UserError } from '../base/errors.ts';
import { fileTrouble } from '../base/text-file.ts';
import { ForeignArrayError, type ForeignProblem } from './foreign-array.ts';

/** A file that was made elsewhere. */
export interface ForeignFile {
  readonly path: string;
  /** Path below the folder that was given, with `/`, without the ending. */
  readonly stem: string;
}

/** Formats by the ending of their files. */
export const ENDINGS = {
  npy: ['npy'],
  npz: ['npz'],
  safetensors: ['safetensors'],
  parquet: ['parquet', 'pq'],
  arrow: ['arrow', 'feather', 'ipc'],
} as const;
export type ForeignFormat = keyof typeof ENDINGS;
export const FOREIGN_FORMATS = Object.keys(ENDINGS) as ForeignFormat[];

/** File types that hold features and are not read, with the lines of Python that make files that are. */
const WAY_OUT: { readonly [ending: string]: string } = {
  pt: 'for name, t in torch.load(FILE, weights_only=True).items(): np.save(f"{name}.npy", t.float().numpy())',
  pkl: 'for name, a in pickle.load(open(FILE, "rb")).items(): np.save(f"{name}.npy", a)',
  h5: 'for name, a in h5py.File(FILE).items(): np.save(f"{name}.npy", a[()])',
  mat: 'for name, a in scipy.io.loadmat(FILE).items(): np.save(f"{name}.npy", a)',
  csv: 'make a Parquet file with an id column and one column of lists: pandas.DataFrame(...).to_parquet(...)',
};
const SAME_WAY: { readonly [ending: string]: string } = { pth: 'pt', pickle: 'pkl', hdf5: 'h5', tsv: 'csv' };

/** What was found at a path: files of one format, sorted. */
export interface FoundFiles {
  readonly format: ForeignFormat;
  readonly files: readonly ForeignFile[];
}

/**
 * Finds the files of an import: one file, or all files of one format below a folder.
 * @param format to choose between, where a folder holds several.
 * @throws UserError where there is nothing to read, or files of several formats.
 */
export function findForeignFiles(path: string, format?: ForeignFormat): FoundFiles {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (error) {
    throw new UserError(`${path} cannot be read: ${fileTrouble(error)}`);
  }
  const paths = isFolder ? filesBelow(path) : [path];
  const byFormat = new Map<ForeignFormat, string[]>();
  const others = new Map<string, number>();
  for (const one of paths) {
    const ending = endingOf(one);
    const own = FOREIGN_FORMATS.find((name) => (ENDINGS[name] as readonly string[]).includes(ending));
    if (own === undefined) others.set(ending, (others.get(ending) ?? 0) + 1);
    else byFormat.set(own, [...(byFormat.get(own) ?? []), one]);
  }
  const chosen = format ?? (byFormat.size === 1 ? [...byFormat.keys()][0] : undefined);
  if (chosen === undefined || !byFormat.has(chosen)) throw notOne(path, byFormat, others, format);
  const files = (byFormat.get(chosen) as string[]).map((one) => {
    const below = isFolder ? relative(path, one) : basename(one);
    return { path: one, stem: below.replaceAll('\\', '/').slice(0, -endingOf(one).length - 1) };
  });
  return { format: chosen, files };
}

function notOne(
  path: string,
  byFormat: ReadonlyMap<ForeignFormat, readonly string[]>,
  others: ReadonlyMap<string, number>,
  format: ForeignFormat | undefined,
): UserError {
  const expected = FOREIGN_FORMATS.map((name) => `.${ENDINGS[name][0]}`).join(', ');
  if (byFormat.size > 1 && format === undefined) {
    const counts = [...byFormat].map(([name, files]) => `${files.length} ${name}`).join(', ');
    return new UserError(`${path} holds files of several formats (${counts}): choose one with --format`);
  }
  const ending = [...others.keys()].find((one) => (SAME_WAY[one] ?? one) in WAY_OUT);
  const way = ending === undefined ? undefined : WAY_OUT[SAME_WAY[ending] ?? ending];
  const found = [...others].map(([one, n]) => `${n} ${one === '' ? 'without ending' : `.${one}`}`).join(', ');
  return new UserError(
    `${path} holds no file of ${format === undefined ? expected : `format ${format}`} (found: ${found === '' ? 'nothing else' : found})` +
      (way === undefined ? '' : `; .${ending} files are not read, convert them in Python: ${way}`),
  );
}

function endingOf(path: string): string {
  const name = basename(path);
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? '' : name.slice(dot + 1).toLowerCase();
}

/** Files below a folder, hidden ones left out, sorted by path. */
function filesBelow(folder: string): string[] {
  const paths: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory() || (entry.isSymbolicLink() && statSync(path).isDirectory()))
      paths.push(...filesBelow(path));
    else paths.push(path);
  }
  return paths.sort();
}

/** An error of one array, or of its file, as a problem; our own mistakes are thrown. */
export function problemOf(error: unknown, place: string): ForeignProblem {
  if (error instanceof ForeignArrayError) return { place, problem: error.message };
  if ((error as NodeJS.ErrnoException).code !== undefined) return { place, problem: fileTrouble(error) };
  throw error;
}
