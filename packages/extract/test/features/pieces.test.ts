import { describe, expect, it } from 'vitest';
import { joinPieces, piecesOf } from '../../src/features/pieces.ts';

/** Frames of a toy encoder with a field of 4 and a step of 2: each is the sum of its samples. */
const encode = (samples: number[]): { n: number; values: Float32Array } => {
  const n = Math.floor((samples.length - 4) / 2) + 1;
  const values = Float32Array.from({ length: n }, (_, i) =>
    samples.slice(2 * i, 2 * i + 4).reduce((sum, value) => sum + value, 0),
  );
  return { n, values };
};

describe('piecesOf', () => {
  it('leaves what fits whole', () => {
    expect(piecesOf(10, { samples: 10, overlap: 4 }, 2)).toEqual([
      { from: 0, to: 10, first: 0, until: null },
    ]);
  });

  it('begins at whole steps, overlaps, and ends with the input', () => {
    expect(piecesOf(25, { samples: 10, overlap: 3 }, 2)).toEqual([
      { from: 0, to: 10, first: 0, until: 4 },
      { from: 6, to: 16, first: 1, until: 4 },
      { from: 12, to: 22, first: 1, until: 4 },
      { from: 18, to: 25, first: 1, until: null },
    ]);
  });

  it.each([11, 12, 17, 23, 24, 25, 40, 99])('loses and doubles no step of %i samples', (length) => {
    const samples = Array.from({ length }, (_, i) => (i * i) % 17);
    const pieces = piecesOf(length, { samples: 10, overlap: 6 }, 2);
    const joined = joinPieces(
      pieces,
      pieces.map(({ from, to }) => encode(samples.slice(from, to))),
      1,
    );
    expect(joined).toEqual(encode(samples));
  });
});

describe('joinPieces', () => {
  it('keeps all values of a step together', () => {
    const steps = [
      { n: 2, values: Float32Array.of(1, 2, 3, 4) },
      { n: 2, values: Float32Array.of(30, 40, 5, 6) },
    ];
    const pieces = [
      { from: 0, to: 2, first: 0, until: 2 },
      { from: 1, to: 3, first: 1, until: null },
    ];
    expect(joinPieces(pieces, steps, 2)).toEqual({ n: 3, values: Float32Array.of(1, 2, 3, 4, 5, 6) });
  });
});
