import { describe, expect, it } from 'vitest';
import { hertzToMel, melBank, melToHertz } from '../../src/spectrogram/mel-bank.ts';
import { golden, largestError } from '../support.ts';

describe('melBank', () => {
  it("equals librosa's slaney filters", () => {
    const expected = golden('spectrogram/mel_bank.json') as { first: number; weights: number[] }[];
    const found = melBank({ sampleRate: 16_000, fftSize: 800, bands: 128, lowest: 0, highest: 8000 });
    expect(found).toHaveLength(128);
    found.forEach((band, i) => {
      expect(band.first).toBe(expected[i]?.first);
      expect(largestError(band.weights, expected[i]?.weights ?? [])).toBeLessThan(1e-8);
    });
  });

  it('has 1 kHz at 15 mel and comes back', () => {
    expect(hertzToMel(1000)).toBe(15);
    expect(hertzToMel(500)).toBeCloseTo(7.5, 12);
    expect(hertzToMel(6400)).toBeCloseTo(42, 12);
    expect(melToHertz(hertzToMel(3210))).toBeCloseTo(3210, 9);
  });
});
