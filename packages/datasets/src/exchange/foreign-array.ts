import { elementCount, shapeText } from './element-type.ts';

/** One utterance's feature as somebody else's file has it. */
export interface ForeignArray {
  /**
   * What the file calls it, the likeliest first, each a path whose last parts say which utterance it is: folders, file
   * name without its endings, key or id.
   */
  readonly names: readonly string[];
  /** File, and key or row inside it: for messages. */
  readonly place: string;
  readonly shape: readonly number[];
  /** Row-major, product of `shape` values. */
  readonly values: Float32Array;
  /** Where the file has them: one id, and start and end in UTF-16 units of the text, for each step. */
  readonly tokenIds?: Int32Array;
  readonly tokenSpans?: Int32Array;
}

/** An array that cannot be read, or a name that it does not have. */
export interface ForeignProblem {
  readonly place: string;
  readonly problem: string;
}

/** Files made elsewhere, opened. They can be gone through several times. */
export interface ForeignSource {
  /** `.npy`, `.npz`, ... */
  readonly format: string;
  /** Arrays in all files, where that is known before they are read. */
  readonly count: number | null;
  /**
   * All arrays, one at a time, always in the same order.
   * @param wanted arrays of other names are passed over, unread where the format allows.
   */
  arrays(wanted?: (names: readonly string[]) => boolean): AsyncIterable<ForeignArray | ForeignProblem>;
}

/** What is wrong with one array: it becomes a line of the list of problems, and the others are still looked at. */
export class ForeignArrayError extends Error {}

/** How arrays are laid out, where it is not [steps, values] or [values]. */
export interface ArrayLayout {
  /** Arrays are [values, steps]. */
  readonly transpose: boolean;
  /** Arrays are [layers, steps, values], of which this one is taken; negative ones count from the end. */
  readonly layer: number | null;
  /** Flat lists hold steps of this many values. */
  readonly dim: number | null;
}

/** An array as steps: [n, dim]. */
export interface Steps {
  readonly n: number;
  readonly dim: number;
  /** Row-major, n * dim. */
  readonly values: Float32Array;
}

/**
 * Reads an array as steps: [n, D] as it is, [D] as the one step of an utterance-level vector; leading axes of length 1
 * are passed over.
 * @throws ForeignArrayError for any other shape, with the option that would make sense of it.
 */
export function stepsOf(array: Pick<ForeignArray, 'shape' | 'values'>, layout: ArrayLayout): Steps {
  let { values } = array;
  let shape = [...array.shape];
  if (layout.layer !== null) [shape, values] = takeLayer(shape, values, layout.layer);
  while (shape.length > 2 && shape[0] === 1) shape = shape.slice(1);
  if (shape.length > 2) {
    throw new ForeignArrayError(
      `its shape is ${shapeText(array.shape)}, expected [steps, values], [1, steps, values] or [values]` +
        (shape.length === 3 ? '; where its first axis is layers, choose one with --layer' : ''),
    );
  }
  if (shape.length === 0)
    throw new ForeignArrayError('it is a single number, expected [steps, values] or [values]');
  if (elementCount(shape) === 0)
    throw new ForeignArrayError(`its shape is ${shapeText(array.shape)}: it holds no value`);
  if (shape.length === 1) return vectorSteps(shape[0] as number, values, layout.dim);
  const [rows, columns] = shape as [number, number];
  if (layout.transpose) return { n: columns, dim: rows, values: transposed(values, rows, columns) };
  return { n: rows, dim: columns, values };
}

function takeLayer(shape: readonly number[], values: Float32Array, layer: number): [number[], Float32Array] {
  const [layers = 0, ...rest] = shape;
  const at = layer < 0 ? layers + layer : layer;
  if (shape.length < 3 || at < 0 || at >= layers) {
    throw new ForeignArrayError(
      `its shape is ${shapeText(shape)}, expected [layers, steps, values] with a layer ${layer}`,
    );
  }
  const size = elementCount(rest);
  return [rest, values.subarray(at * size, (at + 1) * size)];
}

function vectorSteps(length: number, values: Float32Array, dim: number | null): Steps {
  if (dim === null) return { n: 1, dim: length, values };
  if (length % dim !== 0)
    throw new ForeignArrayError(`it has ${length} values, which are no whole steps of ${dim}`);
  return { n: length / dim, dim, values };
}

/** [rows, columns] to [columns, rows]. */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) out[c * rows + r] = values[r * columns + c] as number;
  }
  return out;
}
