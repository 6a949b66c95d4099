/**
 * Bilinear resize with half-pixel centres, edges held: torch.nn.functional.interpolate(mode='bilinear',
 * align_corners=False, antialias=False).
 *
 * @param source [height, width], row-major
 * @param target [rows, columns] of the result are written here, `rowStride` values from row to row
 */
export function resizeBilinear(
  source: ArrayLike<number>,
  height: number,
  width: number,
  target: Float32Array,
  rows: number,
  columns: number,
  rowStride = columns,
): void {
  const across = taps(width, columns);
  const down = taps(height, rows);
  for (let row = 0; row < rows; row++) {
    const top = down.low[row]! * width;
    const bottom = down.high[row]! * width;
    const v = down.share[row]!;
    for (let column = 0; column < columns; column++) {
      const left = across.low[column]!;
      const right = across.high[column]!;
      const u = across.share[column]!;
      const above = source[top + left]! * (1 - u) + source[top + right]! * u;
      const below = source[bottom + left]! * (1 - u) + source[bottom + right]! * u;
      target[row * rowStride + column] = above * (1 - v) + below * v;
    }
  }
}

/** For each place of the result: its two neighbours in the source, and the share of the second. */
function taps(size: number, places: number): { low: Int32Array; high: Int32Array; share: Float64Array } {
  const low = new Int32Array(places);
  const high = new Int32Array(places);
  const share = new Float64Array(places);
  for (let i = 0; i < places; i++) {
    const at = Math.max(0, ((i + 0.5) * size) / places - 0.5);
    const first = Math.min(size - 1, Math.floor(at));
    low[i] = first;
    high[i] = Math.min(size - 1, first + 1);
    share[i] = at - first;
  }
  return { low, high, share };
}
