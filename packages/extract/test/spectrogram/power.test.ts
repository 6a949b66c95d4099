import { describe, expect, it } from 'vitest';
import { ALEXNET_MEL } from '../../src/spectrogram/alexnet-mel.ts';
import { PowerSpectra } from '../../src/spectrogram/power.ts';
import { golden, largestError } from '../support.ts';

interface Clip {
  readonly pcm: number[];
  readonly frames: number;
  readonly power: number[];
  readonly powerFirst: number[];
}

describe('PowerSpectra', () => {
  it("equals librosa's power spectrum, first and last frame", () => {
    const spectra = new PowerSpectra(ALEXNET_MEL);
    for (const clip of golden('spectrogram/alexnet_mel.json') as Clip[]) {
      const seen: number[][] = [];
      spectra.forEach(
        Float32Array.from(clip.pcm, (value) => value / 32768),
        (frame, power) => {
          expect(frame).toBe(seen.length);
          seen.push([...power]);
        },
      );
      expect(seen).toHaveLength(clip.frames);
      for (const [found, expected] of [
        [seen[0], clip.powerFirst],
        [seen.at(-1), clip.power],
      ] as const) {
        const scale = Math.max(...expected, 1e-12);
        expect(largestError(found ?? [], expected) / scale).toBeLessThan(1e-6);
      }
    }
  });
});
