import { describe, expect, it } from 'vitest';
import { ALEXNET_MEL, AlexnetMel, pictureColumns } from '../../src/spectrogram/alexnet-mel.ts';
import { golden, largestError } from '../support.ts';

interface Clip {
  readonly pcm: number[];
  readonly levels: number[];
  readonly columns: number;
  readonly pictureRows: Record<string, number[]>;
}

const mel = new AlexnetMel();
const clips = golden('spectrogram/alexnet_mel.json') as Clip[];
const waveform = (pcm: readonly number[]): Float32Array => Float32Array.from(pcm, (value) => value / 32768);

describe('AlexnetMel', () => {
  it("gives librosa's mel spectrogram in dB, the highest band first", () => {
    for (const clip of clips) {
      const { levels, frames } = mel.levels(waveform(clip.pcm));
      const flipped = Array.from({ length: 128 }, (_, row) =>
        clip.levels.slice((127 - row) * frames, (128 - row) * frames),
      ).flat();
      expect(largestError(levels, flipped)).toBeLessThan(1e-5);
    }
  });

  it("gives torch's resized picture", () => {
    for (const clip of clips) {
      const { values, columns } = mel.picture(waveform(clip.pcm));
      expect(columns).toBe(clip.columns);
      for (const [row, expected] of Object.entries(clip.pictureRows)) {
        const at = Number(row) * columns;
        expect(largestError(values.subarray(at, at + columns), expected)).toBeLessThan(1e-5);
      }
    }
  });

  it('puts low frequencies at the bottom and the time of 125 samples in a column', () => {
    const tone = Float32Array.from({ length: 16_000 }, (_, i) =>
      i < 8000 ? Math.sin((2 * Math.PI * 200 * i) / 16_000) : 0,
    );
    const { values, columns } = mel.picture(tone);
    expect(columns).toBe(128);
    const at = (row: number, column: number): number => values[row * columns + column] as number;
    // 200 Hz is 3 mel, the bands are 45.2 / 129 mel apart, the first is one step up: band 7.6, two rows a band.
    expect(at(239, 30)).toBeGreaterThan(0.95);
    expect(at(10, 30)).toBeLessThan(0.5);
    expect(at(239, 100)).toBe(0);
  });

  it('turns digital silence into 0', () => {
    const { values, columns } = mel.picture(new Float32Array(20_000));
    expect(columns).toBe(160);
    expect(values.every((value) => value === 0)).toBe(true);
  });

  it('pads a short clip on the right to 63 columns', () => {
    const noise = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i * i));
    const { values, columns } = mel.picture(noise);
    expect(columns).toBe(63);
    expect(pictureColumns(1000)).toBe(63);
    for (let row = 0; row < ALEXNET_MEL.rows; row++) {
      expect(values[row * 63 + 7]).toBeGreaterThan(0);
      expect(values.subarray(row * 63 + 8, row * 63 + 63).every((value) => value === 0)).toBe(true);
    }
  });

  it('does not depend on the gain', () => {
    const samples = waveform(clips[0]?.pcm ?? []);
    const loud = mel.picture(samples).values;
    const quiet = mel.picture(samples.map((sample) => sample / 4096)).values;
    expect(largestError(quiet, loud)).toBeLessThan(1e-6);
  });
});
