/** Cosine of two vectors; NaN where one of them is zero. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return dot / Math.sqrt(aa * bb);
}

/** Row k of a flat table of `rows` embeddings. */
function embedding(table: Float32Array, rows: number, k: number): Float32Array {
  const d = table.length / rows;
  return table.subarray(k * d, (k + 1) * d);
}

/** Cosines between the rows of a label table [N * d]: [N][N]. */
export function labelCosines(table: Float32Array, rows: number): number[][] {
  const each = Array.from({ length: rows }, (_, k) => embedding(table, rows, k));
  return each.map((a) => each.map((b) => cosine(a, b)));
}

/** How far a table has gone from where it began. */
export interface LabelPath {
  readonly epoch: number;
  /** |L - L_0| / |L_0| (Frobenius). */
  readonly distance: number;
  /** Cosine of each row with its start. */
  readonly cosines: readonly number[];
}

/** @param tables by epoch, the first one is the start */
export function labelPath(
  tables: readonly { readonly epoch: number; readonly values: Float32Array }[],
  rows: number,
): LabelPath[] {
  const start = tables[0]?.values;
  if (start === undefined) return [];
  const norm = Math.sqrt(start.reduce((sum, x) => sum + x * x, 0));
  return tables.map(({ epoch, values }) => {
    let moved = 0;
    for (let i = 0; i < values.length; i++) moved += ((values[i] as number) - (start[i] as number)) ** 2;
    const cosines = Array.from({ length: rows }, (_, k) =>
      cosine(embedding(values, rows, k), embedding(start, rows, k)),
    );
    return { epoch, distance: Math.sqrt(moved) / norm, cosines };
  });
}
