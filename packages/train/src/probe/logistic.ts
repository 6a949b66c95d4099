import { minimise } from './lbfgs.ts';
import type { Matrix } from './standardise.ts';

/** Multinomial logistic regression: logits = W x + b. */
export interface LogisticModel {
  readonly classes: number;
  readonly dim: number;
  /** [classes, dim] */
  readonly weights: Float64Array;
  readonly bias: Float64Array;
  readonly iterations: number;
  readonly converged: boolean;
}

/**
 * Fits by maximum likelihood with an L2 penalty: the minimum of C times the sum of -ln p of the true classes plus
 * |W|^2 / 2, biases not penalised, as scikit-learn's `LogisticRegression(C)` has it.
 * @param labels class of each row, in [0, classes); a class may be without rows
 * @param C inverse strength of the penalty
 */
export function fitLogistic(
  features: Matrix,
  labels: ArrayLike<number>,
  classes: number,
  C = 1,
): LogisticModel {
  const { rows, dim, values } = features;
  const size = classes * dim;
  // scikit-learn has one weight vector for two classes, w = W1 - W0: |w|^2 = 2 (|W0|^2 + |W1|^2) at the optimum
  const penalty = (classes === 2 ? 2 : 1) / (C * rows);
  const logits = new Float64Array(classes);
  const objective = (x: Float64Array, gradient: Float64Array): number => {
    gradient.fill(0);
    let loss = 0;
    for (let i = 0; i < rows; i++) {
      const at = i * dim;
      scoreRow(values, at, x, classes, dim, logits);
      const label = labels[i] as number;
      loss -= softmaxInPlace(logits, label);
      logits[label] = (logits[label] as number) - 1;
      for (let k = 0; k < classes; k++) {
        const error = logits[k] as number;
        const from = k * dim;
        for (let j = 0; j < dim; j++)
          gradient[from + j] = (gradient[from + j] as number) + error * (values[at + j] as number);
        gradient[size + k] = (gradient[size + k] as number) + error;
      }
    }
    let squares = 0;
    for (let i = 0; i < size; i++) {
      const w = x[i] as number;
      squares += w * w;
      gradient[i] = (gradient[i] as number) / rows + penalty * w;
    }
    for (let k = size; k < x.length; k++) gradient[k] = (gradient[k] as number) / rows;
    return loss / rows + (penalty * squares) / 2;
  };
  const found = minimise(objective, new Float64Array(size + classes), { tolerance: 1e-6, iterations: 2000 });
  return {
    classes,
    dim,
    weights: found.x.slice(0, size),
    bias: found.x.slice(size),
    iterations: found.iterations,
    converged: found.converged,
  };
}

/** Probabilities of each row: [rows, classes]. */
export function predictLogistic(model: LogisticModel, { rows, values }: Matrix): Float64Array {
  const { classes, dim } = model;
  const x = new Float64Array(classes * dim + classes);
  x.set(model.weights);
  x.set(model.bias, classes * dim);
  const out = new Float64Array(rows * classes);
  for (let i = 0; i < rows; i++) {
    const row = out.subarray(i * classes, (i + 1) * classes);
    scoreRow(values, i * dim, x, classes, dim, row);
    softmaxInPlace(row, 0);
  }
  return out;
}

/** logits = W x + b of one row; four sums side by side, so that additions do not wait for each other. */
function scoreRow(
  values: Float64Array,
  at: number,
  x: Float64Array,
  classes: number,
  dim: number,
  logits: Float64Array,
): void {
  const even = dim - (dim % 4);
  for (let k = 0; k < classes; k++) {
    const from = k * dim;
    let [a, b, c, d] = [x[classes * dim + k] as number, 0, 0, 0];
    for (let j = 0; j < even; j += 4) {
      a += (values[at + j] as number) * (x[from + j] as number);
      b += (values[at + j + 1] as number) * (x[from + j + 1] as number);
      c += (values[at + j + 2] as number) * (x[from + j + 2] as number);
      d += (values[at + j + 3] as number) * (x[from + j + 3] as number);
    }
    for (let j = even; j < dim; j++) a += (values[at + j] as number) * (x[from + j] as number);
    logits[k] = a + b + (c + d);
  }
}

/** Logits to probabilities; returns ln p of one class. */
function softmaxInPlace(logits: Float64Array, label: number): number {
  let top = -Infinity;
  for (const z of logits) top = Math.max(top, z);
  const own = logits[label] as number;
  let total = 0;
  for (let k = 0; k < logits.length; k++) {
    const e = Math.exp((logits[k] as number) - top);
    logits[k] = e;
    total += e;
  }
  for (let k = 0; k < logits.length; k++) logits[k] = (logits[k] as number) / total;
  return own - top - Math.log(total);
}
