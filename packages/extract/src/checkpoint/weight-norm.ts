/**
 * Resolves torch's weight norm (Salimans and Kingma 2016): w = g v / |v|, the norm taken over all axes but those
 * along which g varies.
 *
 * @param gain one value for each index of the kept axis, [1, 1, K] or [C, 1, 1]
 * @param direction row-major, of the given shape
 */
export function weightNorm(
  gain: Float32Array,
  gainShape: readonly number[],
  direction: Float32Array,
  shape: readonly number[],
): Float32Array {
  const axis = gainShape.findIndex((dim) => dim !== 1);
  const kept = axis < 0 ? 1 : (shape[axis] as number);
  const inner =
    axis < 0 ? direction.length : shape.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  const indexOf = (i: number): number => Math.floor(i / inner) % kept;
  const squares = new Float64Array(kept);
  for (let i = 0; i < direction.length; i++) {
    const at = indexOf(i);
    squares[at] = (squares[at] as number) + (direction[i] as number) ** 2;
  }
  const scales = squares.map((sum, i) => (gain[i] as number) / Math.sqrt(sum));
  return direction.map((value, i) => value * (scales[indexOf(i)] as number));
}
