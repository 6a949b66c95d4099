import type { FeatureSet } from '../store/feature-set-reader.ts';
import type { StoredRow } from '../store/feature-spec.ts';
import { decodeHalf } from '../store/half.ts';

/** Rows of one split, on their way out. */
export interface ExportRow {
  readonly id: string;
  readonly n: number;
  /** [n, dim], or [dim] where it is pooled: float16 bits or float32. */
  readonly shape: readonly number[];
  readonly values: Uint16Array | Float32Array;
  readonly stored: StoredRow;
}

/** Reads one row, its checksum compared, and pools it where that is asked. */
export function exportRow(set: FeatureSet, id: string, pool: 'mean' | null): ExportRow {
  const stored = set.read(id);
  const { n, values } = stored;
  if (pool === null) return { id, n, shape: [n, set.dim], values, stored };
  return { id, n, shape: [set.dim], values: meanOf(values, n, set.dim), stored };
}

/** Mean over the steps, summed in double precision. [n, dim] -> [dim] */
function meanOf(values: Uint16Array | Float32Array, n: number, dim: number): Float32Array {
  let wide: Float32Array;
  if (values instanceof Uint16Array) {
    wide = new Float32Array(values.length);
    decodeHalf(values, wide);
  } else wide = values;
  const sums = new Float64Array(dim);
  for (let i = 0; i < wide.length; i += dim)
    for (let d = 0; d < dim; d++) sums[d] = (sums[d] as number) + (wide[i + d] as number);
  return Float32Array.from(sums, (sum) => sum / n);
}
