import { describe, expect, it } from 'vitest';
import { resizeBilinear } from '../../src/spectrogram/picture.ts';

describe('resizeBilinear', () => {
  it('holds the edges and puts centres between centres', () => {
    const out = new Float32Array(8);
    resizeBilinear([0, 1, 10, 11], 2, 2, out, 2, 4);
    // columns at -0.25, 0.25, 0.75, 1.25 of the source
    expect([...out]).toEqual([0, 0.25, 0.75, 1, 10, 10.25, 10.75, 11]);
  });

  it('writes rows at their stride', () => {
    const out = new Float32Array(6).fill(-1);
    resizeBilinear([5], 1, 1, out, 2, 2, 3);
    expect([...out]).toEqual([5, 5, -1, 5, 5, -1]);
  });

  it('shrinks without averaging', () => {
    const out = new Float32Array(1);
    resizeBilinear([1, 2, 3, 4], 1, 4, out, 1, 1);
    expect(out[0]).toBe(2.5);
  });
});
