import { elementCount, shapeText } from './element-type.ts';
import { type ForeignArray, ForeignArrayError } from './foreign-array.ts';

/** Which columns of a table hold what; what is left out is found by its name. */
export interface Columns {
  readonly id?: string | undefined;
  /** The features. */
  readonly column?: string | undefined;
  /** Steps of each row, where its steps are padded or flat. */
  readonly length?: string | undefined;
}

/** Names that a column of ids goes by, the likeliest first. */
export const ID_COLUMNS: readonly string[] = [
  'utterance_id',
  'utterance_ids',
  'id',
  'ids',
  'utterance',
  'name',
  'names',
  'key',
  'keys',
  'file',
  'files',
  'filename',
  'filenames',
  'file_name',
  'path',
];

/** Names that a column of lengths goes by. */
export const LENGTH_COLUMNS: readonly string[] = ['n', 'lengths', 'lens'];

/**
 * A row as long as its length says: padded steps are cut off, flat values become steps.
 * @param named the user said that this column has the lengths; otherwise its name only looks so, and nothing but zeros
 *   is cut.
 * @throws ForeignArrayError where length and values contradict each other.
 */
export function withLength(
  { shape, values }: Pick<ForeignArray, 'shape' | 'values'>,
  n: number,
  named: boolean,
): Pick<ForeignArray, 'shape' | 'values'> {
  const [steps = 0, ...rest] = shape;
  const flat = shape.length === 1;
  if (flat && named && n >= 1 && steps % n === 0) return { shape: [n, steps / n], values };
  if (n === steps || (flat && !named)) return { shape, values };
  if (flat || !Number.isInteger(n) || n < 1 || n > steps) {
    if (!named) return { shape, values };
    throw new ForeignArrayError(`its length is ${n}, and its shape ${shapeText(shape)}`);
  }
  const end = n * elementCount(rest);
  if (!named && values.subarray(end).some((value) => value !== 0)) {
    throw new ForeignArrayError(
      `its length seems to be ${n}, and steps after that are not 0: name the column of lengths with --length-column`,
    );
  }
  return { shape: [n, ...rest], values: values.subarray(0, end) };
}
