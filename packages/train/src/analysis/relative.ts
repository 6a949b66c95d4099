/** Non-negative rows in eight bits each: value = bytes / 255 x maximum of its row. */
export interface Relative {
  /** [rows * steps], row-major; 255 is the row's maximum. */
  readonly values: Uint8Array;
  /** Of each row. */
  readonly max: Float32Array;
}

export const noRelative: Relative = { values: new Uint8Array(0), max: new Float32Array(0) };

/**
 * The first `steps` values of each row of `width`, relative to their maximum. A row of zeros stays zero.
 * @param values [rows * width], none negative
 */
export function relative(values: Float32Array, width: number, steps: number): Relative {
  const rows = width === 0 ? 0 : values.length / width;
  const bytes = new Uint8Array(rows * steps);
  const max = new Float32Array(rows);
  for (let r = 0; r < rows; r++) {
    const row = values.subarray(r * width, r * width + steps);
    let top = 0;
    for (const value of row) if (value > top) top = value;
    max[r] = top;
    if (top > 0)
      for (let i = 0; i < steps; i++) bytes[r * steps + i] = Math.round((255 * (row[i] as number)) / top);
  }
  return { values: bytes, max };
}
