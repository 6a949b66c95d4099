/** Rows of values: [rows, dim], row after row. */
export interface Matrix {
  readonly rows: number;
  readonly dim: number;
  readonly values: Float64Array;
}

/** Mean and standard deviation (over n, as scikit-learn's StandardScaler) of each column; 1 for a constant one. */
export interface Scaling {
  readonly mean: Float64Array;
  readonly scale: Float64Array;
}

/** @param rows indices of the rows that count: the training part */
export function scalingOf({ dim, values }: Matrix, rows: readonly number[]): Scaling {
  const mean = new Float64Array(dim);
  const scale = new Float64Array(dim);
  for (const row of rows)
    for (let j = 0; j < dim; j++) mean[j] = (mean[j] as number) + (values[row * dim + j] as number);
  for (let j = 0; j < dim; j++) mean[j] = (mean[j] as number) / rows.length;
  for (const row of rows)
    for (let j = 0; j < dim; j++)
      scale[j] = (scale[j] as number) + ((values[row * dim + j] as number) - (mean[j] as number)) ** 2;
  for (let j = 0; j < dim; j++) {
    const sd = Math.sqrt((scale[j] as number) / rows.length);
    // what rounding makes of a constant is no spread
    const constant = sd <= 10 * Number.EPSILON * Math.max(1, Math.abs(mean[j] as number));
    scale[j] = constant ? 1 : sd;
  }
  return { mean, scale };
}

/** The rows, less the mean, over the scale. */
export function standardised(
  { dim, values }: Matrix,
  rows: readonly number[],
  { mean, scale }: Scaling,
): Matrix {
  const out = new Float64Array(rows.length * dim);
  for (const [i, row] of rows.entries())
    for (let j = 0; j < dim; j++)
      out[i * dim + j] = ((values[row * dim + j] as number) - (mean[j] as number)) / (scale[j] as number);
  return { rows: rows.length, dim, values: out };
}
