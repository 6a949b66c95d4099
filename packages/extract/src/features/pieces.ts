import type { EncodedSteps } from './form.ts';

/** Long inputs are encoded in overlapping pieces: samples of one piece, and of what it shares with the next one. */
export interface PieceSize {
  readonly samples: number;
  readonly overlap: number;
}

/** One piece of a long input. */
export interface Piece {
  /** Samples [from, to). */
  readonly from: number;
  readonly to: number;
  /** Its own steps that are kept: from here to `until`, or to its end. */
  readonly first: number;
  readonly until: number | null;
}

/**
 * Cuts an input into pieces that begin at whole steps, so that a step of the whole is a step of each piece that holds it.
 * Of an overlap each piece keeps its half: what it knows least about, its edge, comes from the other one. Pure.
 *
 * @param length samples; no more than a piece gives one piece
 * @param step samples from one step to the next
 */
export function piecesOf(length: number, { samples, overlap }: PieceSize, step: number): Piece[] {
  if (length <= samples) return [{ from: 0, to: length, first: 0, until: null }];
  const hop = Math.max(1, Math.floor((samples - overlap) / step)) * step;
  const count = Math.ceil((length - samples) / hop) + 1;
  const kept = Math.floor((samples - hop) / 2 / step);
  return Array.from({ length: count }, (_, i) => ({
    from: i * hop,
    to: Math.min(length, i * hop + samples),
    first: i === 0 ? 0 : kept,
    until: i === count - 1 ? null : hop / step + kept,
  }));
}

/**
 * The steps of the whole, from those of its pieces.
 * @param dim values per step
 */
export function joinPieces(
  pieces: readonly Piece[],
  steps: readonly EncodedSteps[],
  dim: number,
): EncodedSteps {
  const parts = pieces.map(({ first, until }, i) => {
    const { n, values } = steps[i] as EncodedSteps;
    return values.subarray(first * dim, Math.min(n, until ?? n) * dim);
  });
  const values = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    values.set(part, at);
    at += part.length;
  }
  return { n: values.length / dim, values };
}
