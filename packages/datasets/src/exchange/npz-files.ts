import { decodeElements, elementCount, shapeText } from './element-type.ts';
import {
  type ForeignArray,
  ForeignArrayError,
  type ForeignProblem,
  type ForeignSource,
} from './foreign-array.ts';
import { type ForeignFile, problemOf } from './foreign-files.ts';
import { decodeNpy, decodeNpyText, NPY_PREFIX, type NpyHeader, npyHeaderEnd, readNpyHeader } from './npy.ts';
import { type Columns, ID_COLUMNS, LENGTH_COLUMNS, withLength } from './table-columns.ts';
import { countZipEntries, type ZipEntry, zipEntries } from './zip-archive.ts';

/**
 * Archives of .npy files, as `numpy.savez` and `savez_compressed` write them: either an array for each utterance,
 * named by it, or a table: an array of ids, and one whose first axis runs over them (padded, where a third array has
 * the lengths).
 */
export async function npzFiles(files: readonly ForeignFile[], columns: Columns): Promise<ForeignSource> {
  let count: number | null = 0;
  for (const { path } of files) {
    try {
      if ((await tableOf(path, columns)) === null)
        count = count === null ? null : count + (await countZipEntries(path));
      else count = null;
    } catch {
      count = null; // said where the file is read
    }
  }
  return {
    format: '.npz',
    count,
    async *arrays(wanted = () => true) {
      for (const file of files) {
        try {
          const table = await tableOf(file.path, columns);
          if (table === null) yield* separateArrays(file, columns.column, wanted);
          else yield* tableRows(file, table, wanted);
        } catch (error) {
          yield problemOf(error, file.path);
        }
      }
    },
  };
}

const keyOf = (entry: ZipEntry): string => entry.name.replace(/\.npy$/, '');

async function* separateArrays(
  { path, stem }: ForeignFile,
  column: string | undefined,
  wanted: (names: readonly string[]) => boolean,
): AsyncGenerator<ForeignArray | ForeignProblem> {
  for await (const entry of zipEntries(path)) {
    const key = keyOf(entry);
    if (column !== undefined && key !== column) continue;
    const place = `${path}[${key}]`;
    const names = [`${stem}/${key}`, stem];
    if (!wanted(names)) continue;
    try {
      yield { names, place, ...decodeNpy(await entry.read()) };
    } catch (error) {
      yield problemOf(error, place);
    }
  }
}

/** Which arrays of an archive make a table. */
interface Table {
  readonly ids: readonly string[];
  readonly lengths: readonly number[] | null;
  readonly lengthNamed: boolean;
  /** Name of the entry whose first axis runs over the ids. */
  readonly column: string;
}

/** @returns null where the archive has no array of ids. */
async function tableOf(path: string, { id, column, length }: Columns): Promise<Table | null> {
  let ids: string[] | null = null;
  let lengths: number[] | null = null;
  const others: string[] = [];
  for await (const entry of zipEntries(path)) {
    const key = keyOf(entry);
    const isId = id === undefined ? ids === null && ID_COLUMNS.includes(key) : key === id;
    const isLength = length === undefined ? LENGTH_COLUMNS.includes(key) : key === length;
    if (isId) ids = await textOrNull(entry, id !== undefined);
    else if (isLength) lengths = [...decodeNpy(await entry.read()).values];
    else others.push(key);
  }
  if (ids === null) {
    if (id !== undefined) throw new ForeignArrayError(`it has no array ${id}; there is ${others.join(', ')}`);
    return null;
  }
  const chosen =
    column ?? (others.includes('features') ? 'features' : others.length === 1 ? others[0] : undefined);
  if (chosen === undefined || !others.includes(chosen)) {
    throw new ForeignArrayError(
      `it has ${column === undefined ? `the arrays ${others.join(', ')} beside its ids: choose one with --column` : `no array ${column}; there is ${others.join(', ')}`}`,
    );
  }
  if (lengths !== null && lengths.length !== ids.length)
    throw new ForeignArrayError(`it has ${ids.length} ids and ${lengths.length} lengths`);
  return { ids, lengths, lengthNamed: length !== undefined, column: chosen };
}

/** Strings of an array; null where it holds numbers, and nobody said that it is the ids. */
async function textOrNull(entry: ZipEntry, asked: boolean): Promise<string[] | null> {
  const bytes = await entry.read();
  if (!asked && readNpyHeader(bytes).type !== 'text') return null;
  return decodeNpyText(bytes);
}

async function* tableRows(
  { path, stem }: ForeignFile,
  { ids, lengths, lengthNamed, column }: Table,
  wanted: (names: readonly string[]) => boolean,
): AsyncGenerator<ForeignArray | ForeignProblem> {
  for await (const entry of zipEntries(path)) {
    if (keyOf(entry) !== column) continue;
    let row = 0;
    for await (const { shape, values } of rowsOf(entry, ids.length)) {
      const names = [`${stem}/${ids[row]}`];
      const n = lengths?.[row];
      const place = `${path}[${column}], row ${row}`;
      row++;
      if (!wanted(names)) continue;
      try {
        const cell = { shape, values };
        yield { names, place, ...(n === undefined ? cell : withLength(cell, n, lengthNamed)) };
      } catch (error) {
        yield problemOf(error, place);
      }
    }
  }
}

/** Rows of the first axis, one after the other, without the whole array in memory. */
async function* rowsOf(
  entry: ZipEntry,
  count: number,
): AsyncGenerator<{ shape: number[]; values: Float32Array }> {
  let header: NpyHeader | null = null;
  let held: Buffer = Buffer.alloc(0);
  let parts: Buffer[] = [];
  let waiting = 0;
  let needed = NPY_PREFIX;
  let row = 0;
  for await (const piece of entry.pieces()) {
    parts.push(piece);
    waiting += piece.length;
    if (held.length + waiting < needed) continue;
    held = Buffer.concat([held, ...parts]);
    [parts, waiting] = [[], 0];
    let at = 0;
    if (header === null) {
      needed = npyHeaderEnd(held.subarray(0, NPY_PREFIX));
      if (held.length < needed) continue;
      header = readNpyHeader(held);
      checkTable(header, count);
      at = header.offset;
    }
    const shape = header.shape.slice(1);
    const elements = elementCount(shape);
    const bytes = elements * header.size;
    for (; row < count && held.length - at >= bytes; at += bytes, row++) {
      if (header.type === 'text') break;
      const values = decodeElements(held.subarray(at, at + bytes), header.type, elements, header.bigEndian);
      yield { shape, values };
    }
    held = held.subarray(at);
    needed = bytes;
  }
  if (row < count) throw new ForeignArrayError(`it ends after ${row} of ${count} rows`);
}

function checkTable({ type, shape, fortran }: NpyHeader, count: number): void {
  if (type === 'text') throw new ForeignArrayError('the column holds text, expected numbers');
  if (shape[0] !== count)
    throw new ForeignArrayError(`the column has the shape ${shapeText(shape)}, and there are ${count} ids`);
  if (fortran && shape.length > 1)
    throw new ForeignArrayError('the column is in Fortran order: save numpy.ascontiguousarray of it');
}
