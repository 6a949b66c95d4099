/**
 * Holm's step-down correction: p values adjusted so that at most a share alpha of such families holds a false
 * finding. In the order given; NaN (no test) stays NaN and is no member of the family.
 */
export function holm(p: readonly number[]): number[] {
  const order = p
    .map((value, i) => ({ value, i }))
    .filter(({ value }) => !Number.isNaN(value))
    .sort((a, b) => a.value - b.value);
  const adjusted = p.map(() => NaN);
  let least = 0;
  for (const [rank, { value, i }] of order.entries()) {
    least = Math.max(least, Math.min(1, (order.length - rank) * value));
    adjusted[i] = least;
  }
  return adjusted;
}
