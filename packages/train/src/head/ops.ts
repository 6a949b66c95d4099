import { isTracing, packed, realSteps, tf } from '@lsgmer/onnx';
import type { Tensors } from './contract.ts';

/** Weight [in, out] and bias [out] of a Linear layer. */
export interface LinearWeights {
  readonly w: tf.Tensor;
  readonly b: tf.Tensor;
}

/** A tensor by name; a missing one is an error of the caller, not of the user. */
export function need(tensors: Tensors, name: string): tf.Tensor {
  const tensor = tensors[name];
  if (!tensor) throw new Error(`tensor ${name} is missing; found ${Object.keys(tensors).join(', ')}`);
  return tensor;
}

export function linearWeights(parameters: Tensors, name: string): LinearWeights {
  return { w: need(parameters, `${name}.w`), b: need(parameters, `${name}.b`) };
}

/** x [..., in] times w [in, out], as one two-dimensional product: [..., out]. */
export function project(x: tf.Tensor, w: tf.Tensor): tf.Tensor {
  const inner = x.shape[x.rank - 1] as number;
  const outer = w.shape[1] as number;
  if (x.rank === 2) return tf.matMul(x, w);
  return tf.reshape(tf.matMul(tf.reshape(x, [-1, inner]), w), [...x.shape.slice(0, -1), outer]);
}

/** x [..., in] -> [..., out]. */
export function linear(x: tf.Tensor, { w, b }: LinearWeights): tf.Tensor {
  if (x.rank === 2) return tf.add(tf.matMul(x, w), b);
  const flat = tf.reshape(x, [-1, w.shape[0]]);
  // the bias before the reshape: product and sum are then one node of the runtime
  return tf.reshape(tf.add(tf.matMul(flat, w), b), [...x.shape.slice(0, -1), w.shape[1] as number]);
}

/** What tf.customGrad passes as its last argument. */
export type SaveForGradient = (tensors: tf.Tensor[]) => void;

/**
 * `linear` of padded rows x [B, L, in] -> [B, L, out]. Traced code computes real steps only: padded ones then hold
 * the values of some real step, and a gradient that arrives there counts as 0.
 * @param mask [B, L], 1 for a real step
 */
export function linearOfReal(x: tf.Tensor, mask: tf.Tensor, weights: LinearWeights): tf.Tensor {
  if (!isTracing()) return linear(x, weights);
  const run = tf.customGrad((...given) => {
    const [x, w, b, save] = given as [tf.Tensor3D, tf.Tensor2D, tf.Tensor1D, SaveForGradient];
    const real = realSteps(mask);
    const inputs = packed(x, real); // [R, in]
    save([w, mask, inputs, real.row, real.step, real.place]);
    const value = tf.gather(tf.add(tf.matMul(inputs, w), b), real.place); // [B, L, out]
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] => {
      const [w, mask, inputs, row, step, place] = saved as Saved;
      const own = packed(dy, { row, step }); // [R, out]
      const dx = padded(tf.matMul(own, w, false, true), place, mask);
      return [dx, tf.matMul(inputs, own, true), tf.sum(own, 0)];
    };
    return { value, gradFunc };
  });
  return run(x, weights.w, weights.b);
}

type Saved = [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor1D, tf.Tensor1D, tf.Tensor2D];

/** Values of real steps [R, D] back in their padded rows, zeros at padding: [B, L, D]. */
export function padded(values: tf.Tensor, place: tf.Tensor2D, mask: tf.Tensor): tf.Tensor {
  return tf.mul(tf.gather(values, place), tf.expandDims(mask, 2));
}

/** Weights of the mean over the real steps: mask [B, L] -> [B, 1, L]. A row without real steps gives 0. */
export function meanWeights(mask: tf.Tensor): tf.Tensor {
  return tf.expandDims(tf.div(mask, tf.maximum(tf.sum(mask, 1, true), 1)), 1);
}

/** Mean over the real steps: h [B, L, d], mask [B, L] -> [B, d]. A row without real steps gives 0. */
export function maskedMean(h: tf.Tensor, mask: tf.Tensor): tf.Tensor {
  return tf.squeeze(tf.matMul(meanWeights(mask), h), [1]);
}

/** Which keys of an attention exist. */
export interface Keys {
  /** Added to the scores, [B, 1, 1, L]: 0 for a real step, -1e9 for padding, whose weight is then exactly 0. */
  readonly scores: tf.Tensor;
  /**
   * 1 where the row has a real step, else 0, [B, 1, 1]: attention over nothing sees nothing. What it saw times this
   * is 0 for a row of padding only (an absent modality), whatever stands in the padding.
   */
  readonly present: tf.Tensor;
}

/** mask [B, L], 1 for a real step. */
export function realKeys(mask: tf.Tensor): Keys {
  const [rows, steps] = mask.shape as [number, number];
  return {
    scores: tf.reshape(tf.mul(tf.sub(mask, 1), 1e9), [rows, 1, 1, steps]),
    present: tf.reshape(tf.max(mask, 1), [rows, 1, 1]),
  };
}

/** Layer norm over the last axis with PyTorch's epsilon. */
export function layerNorm(x: tf.Tensor, gain: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const variance = tf.mean(tf.square(centred), -1, true);
  return tf.add(tf.mul(tf.div(centred, tf.sqrt(tf.add(variance, 1e-5))), gain), bias);
}

/** The same values; no gradient flows through. */
export function detach(x: tf.Tensor): tf.Tensor {
  const identity = tf.customGrad((value) => ({
    value: tf.clone(value as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
  }));
  return identity(x);
}

/** Rows scaled to length 1: x [R, d]. A row of zeros stays zero. */
export function unitRows(x: tf.Tensor): tf.Tensor {
  const squares = tf.sum(tf.square(x), -1, true);
  // 1e-24 keeps the root's gradient finite and changes no row longer than 1e-8 (its square rounds away)
  return tf.div(x, tf.sqrt(tf.add(squares, 1e-24)));
}
