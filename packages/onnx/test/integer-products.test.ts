import { describe, expect, it } from 'vitest';
import { quantiseMatrix } from '../src/integer-products.ts';

describe('quantiseMatrix', () => {
  it('gives each output a step of its own: its largest weight is 90 steps', () => {
    const { bytes, steps } = quantiseMatrix(Float32Array.of(90, -0.5, 45, 0.25, 0, 0), 3, 2, false);
    expect([...steps]).toEqual([1, Math.fround(0.5 / 90)]);
    expect([...bytes]).toEqual([90, -90, 45, 45, 0, 0]);
    const turned = quantiseMatrix(Float32Array.of(90, 45, 0, -0.5, 0.25, 0), 3, 2, true);
    expect(turned).toEqual({ bytes, steps });
  });

  it('leaves an output without weights at zero', () => {
    expect(quantiseMatrix(new Float32Array(4), 2, 2, false)).toEqual({
      bytes: new Int8Array(4),
      steps: Float32Array.of(1, 1),
    });
  });

  it('keeps two products of bytes within 16 bits, for processors that cut off what is beyond', () => {
    const { bytes } = quantiseMatrix(Float32Array.of(-7, 3, 7, -0.1), 2, 2, false);
    const largest = Math.max(...bytes.map(Math.abs));
    expect(largest).toBe(90);
    expect(2 * 181 * largest).toBeLessThan(2 ** 15);
  });
});
