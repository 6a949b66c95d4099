import { describe, expect, it } from 'vitest';
import { Fft } from '../../src/spectrogram/fft.ts';
import { largestError } from '../support.ts';

/** The definition, term by term. */
function definition(re: Float64Array, im: Float64Array): { re: number[]; im: number[] } {
  const n = re.length;
  const out = { re: Array.from({ length: n }, () => 0), im: Array.from({ length: n }, () => 0) };
  for (let k = 0; k < n; k++) {
    for (let i = 0; i < n; i++) {
      const angle = (-2 * Math.PI * ((i * k) % n)) / n;
      out.re[k]! += re[i]! * Math.cos(angle) - im[i]! * Math.sin(angle);
      out.im[k]! += re[i]! * Math.sin(angle) + im[i]! * Math.cos(angle);
    }
  }
  return out;
}

describe('Fft', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 25, 30, 49, 64, 100, 200, 800])(
    'of %i values is the definition',
    (n) => {
      const re = Float64Array.from({ length: n }, (_, i) => Math.sin(i * i + 1));
      const im = Float64Array.from({ length: n }, (_, i) => Math.cos(3 * i * i));
      const expected = definition(re, im);
      new Fft(n).transform(re, im);
      expect(largestError(re, expected.re)).toBeLessThan(1e-10);
      expect(largestError(im, expected.im)).toBeLessThan(1e-10);
    },
  );

  it('names the sizes that it cannot do', () => {
    expect(() => new Fft(22)).toThrow('a transform of size 22: its prime factors must be 7 or less');
  });
});
