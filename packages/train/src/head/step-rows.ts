import { distinctSteps, isTracing, tf, viewed } from '@lsgmer/onnx';
import type { SaveForGradient } from './ops.ts';

/**
 * The steps of a sequence [B, L, d] one after the other, S of them, for what is computed of each step alone: all
 * steps, or in a traced graph the real ones and one of padding (whose gradient must be 0).
 */
export interface StepRows {
  /** [S, d] */
  readonly values: tf.Tensor2D;
  /** [S, H w] -> [H, S, w] */
  split(x: tf.Tensor, heads: number): tf.Tensor;
  /** [H, S, w] -> [S, H w] */
  merge(x: tf.Tensor): tf.Tensor;
  /** [S, w] -> [B, L, w] */
  toRows(x: tf.Tensor): tf.Tensor;
  /** [H, S, w] -> [B, H L, w] */
  headsToRows(x: tf.Tensor): tf.Tensor;
  /** [B, H L, w] -> [H, S, w] */
  rowsToHeads(x: tf.Tensor, heads: number): tf.Tensor;
}

/**
 * @param x [B, L, d]
 * @param mask [B, L], 1 for a real step; left out, every step is computed
 */
export function stepRows(x: tf.Tensor, mask?: tf.Tensor): StepRows {
  return mask !== undefined && isTracing() ? distinctRows(x, mask) : allRows(x);
}

function allRows(x: tf.Tensor): StepRows {
  const [rows, length, d] = x.shape as [number, number, number];
  const all = rows * length;
  return {
    values: tf.reshape(x, [all, d]),
    split: (x, heads) => tf.transpose(tf.reshape(x, [all, heads, (x.shape[1] as number) / heads]), [1, 0, 2]),
    merge: (x) => tf.reshape(tf.transpose(x, [1, 0, 2]), [all, -1]),
    toRows: (x) => tf.reshape(x, [rows, length, -1]),
    headsToRows(x) {
      const [heads, , width] = x.shape as [number, number, number];
      const byRow = tf.transpose(tf.reshape(x, [heads, rows, length * width]), [1, 0, 2]);
      return tf.reshape(byRow, [rows, heads * length, width]);
    },
    rowsToHeads(x, heads) {
      const width = x.shape[2] as number;
      const byHead = tf.transpose(tf.reshape(x, [rows, heads, length * width]), [1, 0, 2]);
      return tf.reshape(byHead, [heads, all, width]);
    },
  };
}

/** S is known when the graph runs only; while it is traced, sizes hold B L in its place. */
function distinctRows(x: tf.Tensor, mask: tf.Tensor): StepRows {
  const [rows, length] = x.shape as [number, number, number];
  const all = rows * length;
  const { row, step, place, count } = distinctSteps(mask);
  const int = (value: number): tf.Scalar => tf.scalar(value, 'int32');
  const taken = tf.add(tf.mul(row, int(length)), step); // [S], of all steps
  /** Where a value [H, S, w] stands for each of [B, H L]. */
  const inHeads = (heads: number): tf.Tensor => {
    const first = tf.mul(tf.range(0, heads, 1, 'int32'), count);
    const places = tf.add(tf.reshape(first, [1, heads, 1]), tf.reshape(place, [rows, 1, length]));
    return tf.reshape(places, [rows, heads * length]);
  };
  /** Where a value [B, H L, w] stands for each of [H, S]. */
  const inRows = (heads: number): tf.Tensor => {
    const first = tf.mul(tf.range(0, heads, 1, 'int32'), int(length));
    const places = tf.add(tf.mul(row, int(heads * length)), step);
    return tf.add(tf.reshape(first, [heads, 1]), places);
  };
  return {
    values: gathered(x, taken, place) as tf.Tensor2D,
    split: (x, heads) => tf.transpose(view(x, [all, heads, (x.shape[1] as number) / heads]), [1, 0, 2]),
    merge(x) {
      const [heads, , width] = x.shape as [number, number, number];
      return view(tf.transpose(x, [1, 0, 2]), [all, heads * width]);
    },
    toRows: (x) => gathered(x, place, taken),
    headsToRows(x) {
      const [heads] = x.shape as [number];
      return gathered(x, inHeads(heads), inRows(heads));
    },
    rowsToHeads: (x, heads) => gathered(x, inRows(heads), inHeads(heads)),
  };
}

/** The values of x [..., w] at places, and for the gradient its values at those that lead back. */
function gathered(x: tf.Tensor, places: tf.Tensor, back: tf.Tensor): tf.Tensor {
  const at = (x: tf.Tensor, places: tf.Tensor): tf.Tensor => {
    const width = x.shape.at(-1) as number;
    return tf.gather(viewed(x, [x.size / width, width], 0), places);
  };
  const run = tf.customGrad((...given) => {
    const [x, save] = given as [tf.Tensor, SaveForGradient];
    save([back]);
    return {
      value: at(x, places),
      gradFunc: (dy: tf.Tensor, [back]: tf.Tensor[]) => at(dy, back as tf.Tensor),
    };
  });
  return run(x);
}

/** x [S, ...] in another shape [S, ...]. */
function view(x: tf.Tensor, shape: number[]): tf.Tensor {
  const run = tf.customGrad((...given) => {
    const [x] = given as [tf.Tensor];
    const before = x.shape;
    return { value: viewed(x, shape, 0), gradFunc: (dy: tf.Tensor) => viewed(dy, before, 0) };
  });
  return run(x);
}
