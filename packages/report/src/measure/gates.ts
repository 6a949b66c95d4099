/** Gate weights of the utterances of one class. */
export interface GateSummary {
  readonly label: number;
  readonly n: number;
  /** Weight of audio: quartiles, 5 % and 95 %, mean. Text has the rest. */
  readonly mean: number;
  readonly sd: number;
  readonly p05: number;
  readonly p25: number;
  readonly p50: number;
  readonly p75: number;
  readonly p95: number;
}

/**
 * Weight of audio in the fusion gate by class of the truth. It is what the head multiplied its audio vector with: the vectors'
 * lengths differ, so that it does not say how much a modality mattered.
 * @param rows `gate` is [audio, text]
 */
export function gatesByClass(
  rows: readonly { readonly label: number; readonly gate: ArrayLike<number> }[],
  classes: number,
): GateSummary[] {
  return Array.from({ length: classes }, (_, label) => {
    const weights = rows
      .filter((row) => row.label === label)
      .map((row) => row.gate[0] as number)
      .sort((a, b) => a - b);
    const n = weights.length;
    const mean = weights.reduce((a, b) => a + b, 0) / n;
    const squares = weights.reduce((sum, x) => sum + (x - mean) ** 2, 0);
    const at = (share: number): number => quantile(weights, share);
    return {
      label,
      n,
      mean,
      sd: n < 2 ? NaN : Math.sqrt(squares / (n - 1)),
      p05: at(0.05),
      p25: at(0.25),
      p50: at(0.5),
      p75: at(0.75),
      p95: at(0.95),
    };
  });
}

/** Linear between order statistics, as numpy has it by default; NaN for no values. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const a = sorted[low];
  const b = sorted[Math.min(sorted.length - 1, low + 1)];
  return a === undefined || b === undefined ? NaN : a + (b - a) * (at - low);
}
