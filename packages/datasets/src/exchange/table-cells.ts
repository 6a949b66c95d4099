import { type Data, DataType, Precision, type RecordBatch, type Schema, type Vector } from 'apache-arrow';
import { decodeHalf } from '../store/half.ts';
import { describeType } from '../store/shard-schema.ts';
import { type ForeignArray, ForeignArrayError, type ForeignProblem } from './foreign-array.ts';
import { type Columns, ID_COLUMNS, LENGTH_COLUMNS, withLength } from './table-columns.ts';

/** The columns of a table that an import reads, by position. */
export interface TableColumns {
  readonly id: number;
  readonly features: number;
  readonly length: number | null;
  /** The user named the column of lengths. */
  readonly lengthNamed: boolean;
  readonly tokenIds: number | null;
  readonly tokenSpans: number | null;
}

/**
 * Finds the columns of an Arrow or Parquet table.
 * @throws ForeignArrayError that lists the columns.
 */
export function findColumns(schema: Schema, { id, column, length }: Columns): TableColumns {
  const names = schema.fields.map((field) => field.name);
  const all = schema.fields.map((field) => `${field.name} (${String(field.type)})`).join(', ');
  const named = (name: string, option: string): number => {
    const at = names.indexOf(name);
    if (at < 0) throw new ForeignArrayError(`it has no column ${name} (--${option}); there is ${all}`);
    return at;
  };
  const of = (name: string): number | null => (names.includes(name) ? names.indexOf(name) : null);
  const idName = id ?? ID_COLUMNS.find((name) => isText(schema.fields[of(name) ?? -1]?.type));
  if (idName === undefined)
    throw new ForeignArrayError(`it has no column of ids: name it with --id-column; there is ${all}`);
  const lists = schema.fields.filter(({ name, type }) => isList(type) && !/^token_(ids|spans)$/.test(name));
  const chosen =
    column ??
    lists.find(({ name }) => name === 'features')?.name ??
    (lists.length === 1 ? lists[0]?.name : undefined);
  if (chosen === undefined) {
    throw new ForeignArrayError(
      `it has ${lists.length === 0 ? 'no column of lists' : 'several columns of lists: choose one with --column'}; there is ${all}`,
    );
  }
  const lengthName = length ?? LENGTH_COLUMNS.find((name) => isInt(schema.fields[of(name) ?? -1]?.type));
  return {
    id: named(idName, 'id-column'),
    features: named(chosen, 'column'),
    length: lengthName === undefined ? null : named(lengthName, 'length-column'),
    lengthNamed: length !== undefined,
    tokenIds: of('token_ids'),
    tokenSpans: of('token_spans'),
  };
}

const isList = (type: DataType): boolean =>
  DataType.isList(type) || DataType.isLargeList(type) || DataType.isFixedSizeList(type);

function isText(type: DataType | undefined): boolean {
  if (type === undefined) return false;
  if (DataType.isDictionary(type)) return isText(type.dictionary as DataType);
  return DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isUtf8View(type);
}

const isInt = (type: DataType | undefined): boolean => type !== undefined && DataType.isInt(type);

/** Rows of one record batch. @param first number of its first row, for messages. */
export function* batchArrays(
  batch: RecordBatch,
  columns: TableColumns,
  file: { readonly path: string; readonly stem: string },
  first: number,
  wanted: (names: readonly string[]) => boolean,
): Generator<ForeignArray | ForeignProblem> {
  const column = (at: number): Vector => batch.getChildAt(at) as Vector;
  const ids = column(columns.id);
  const lengths = columns.length === null ? null : column(columns.length);
  const features = column(columns.features);
  const [data] = features.data as readonly Data[];
  for (let row = 0; row < batch.numRows; row++) {
    const id: unknown = ids.get(row);
    const place = `${file.path}, row ${first + row}${typeof id === 'string' ? ` (${id})` : ''}`;
    if (typeof id !== 'string' || id === '') {
      yield { place, problem: 'its id is empty' };
      continue;
    }
    const names = [`${file.stem}/${withoutEnding(id)}`, `${file.stem}/${id}`];
    if (!wanted(names)) continue;
    try {
      const cell = cellArray(data as Data, row);
      const n: unknown = lengths?.get(row);
      const cut = n === undefined || n === null ? cell : withLength(cell, Number(n), columns.lengthNamed);
      yield { names, place, ...cut, ...tokensOf(columns, column, row) };
    } catch (error) {
      if (!(error instanceof ForeignArrayError)) throw error;
      yield { place, problem: error.message };
    }
  }
}

/** Ids are often file names. */
export function withoutEnding(name: string): string {
  return name.replace(/\.(npy|npz|wav|mp4|mp3|flac|avi|ogg|m4a|pt|txt)$/i, '');
}

function tokensOf(
  { tokenIds, tokenSpans }: TableColumns,
  column: (at: number) => Vector,
  row: number,
): Pick<ForeignArray, 'tokenIds' | 'tokenSpans'> {
  if (tokenIds === null || tokenSpans === null) return {};
  const whole = (at: number): Int32Array =>
    Int32Array.from(cellArray((column(at).data as readonly Data[])[0] as Data, row).values);
  return { tokenIds: whole(tokenIds), tokenSpans: whole(tokenSpans) };
}

/**
 * One cell of nested lists as an array.
 * @throws ForeignArrayError for nulls, lists of unequal lengths, values that are no numbers.
 */
function cellArray(column: Data, row: number): { shape: number[]; values: Float32Array } {
  let data = column;
  let [start, end] = [row, row + 1];
  const shape: number[] = [];
  for (;;) {
    checkNoNull(data, start, end);
    const { type } = data;
    if (!isList(type)) break;
    let size: number;
    if (DataType.isFixedSizeList(type)) {
      size = type.listSize;
      [start, end] = [(data.offset + start) * size, (data.offset + end) * size];
    } else {
      const offsets = data.valueOffsets as Int32Array | BigInt64Array;
      size = Number(offsets[start + 1] ?? 0) - Number(offsets[start] ?? 0);
      for (let i = start; i < end; i++) {
        const own = Number(offsets[i + 1]) - Number(offsets[i]);
        if (own !== size)
          throw new ForeignArrayError(
            `step ${i - start} has ${own} values, and the first one ${size}: expected equal numbers`,
          );
      }
      [start, end] = [Number(offsets[start]), Number(offsets[end])];
    }
    shape.push(size);
    data = data.children[0] as Data;
  }
  return { shape, values: leafValues(data, start, end) };
}

function checkNoNull(data: Data, start: number, end: number): void {
  if (data.nullCount === 0) return;
  for (let i = start; i < end; i++) {
    if (!data.getValid(i)) throw new ForeignArrayError('it holds a null, expected numbers');
  }
}

function leafValues(data: Data, start: number, end: number): Float32Array {
  const { type } = data;
  const values = data.values as ArrayLike<number> & { subarray(from: number, to: number): ArrayLike<number> };
  if (DataType.isFloat(type) && type.precision === Precision.HALF) {
    const out = new Float32Array(end - start);
    decodeHalf(values.subarray(start, end) as Uint16Array, out);
    return out;
  }
  if (!DataType.isFloat(type) && !DataType.isInt(type))
    throw new ForeignArrayError(`its values are ${describeType(data.type)}, expected numbers`);
  const part = values.subarray(start, end) as Float32Array | BigInt64Array;
  if (part instanceof BigInt64Array || part instanceof BigUint64Array)
    return Float32Array.from(part, (value) => Number(value));
  return Float32Array.from(part);
}
