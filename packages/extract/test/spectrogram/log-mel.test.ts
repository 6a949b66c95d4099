import { describe, expect, it } from 'vitest';
import { AlexnetMel } from '../../src/spectrogram/alexnet-mel.ts';
import { LogMel, type LogMelSettings } from '../../src/spectrogram/log-mel.ts';
import { goldenWeights } from '../encoders/seeded.ts';
import { golden, largestError } from '../support.ts';

const common = { kind: 'log-mel', preEmphasis: 0, floor: 1e-10, layout: 'frames', least: 1 } as const;

describe('LogMel', () => {
  const cases = golden('spectrogram/log_mel.json') as {
    settings: Pick<LogMelSettings, 'rate' | 'bands' | 'window' | 'hop' | 'fftSize' | 'lowest' | 'highest'>;
    samples: number;
    ln: number[];
  }[];

  it.each(cases)(
    "is librosa's, in Slaney's convention, at $settings.rate Hz",
    ({ settings, samples, ln }) => {
      const clip = goldenWeights(5)
        .tensor(`input.${samples}`, [samples])
        .map((value) => 0.3 * value);
      const natural = new LogMel({ ...common, ...settings, log: 'ln' }).of(clip);
      expect(largestError(natural, ln)).toBeLessThan(1e-4);
      const decimal = new LogMel({ ...common, ...settings, log: 'log10' }).of(clip);
      expect(
        largestError(
          decimal,
          ln.map((value) => value / Math.LN10),
        ),
      ).toBeLessThan(1e-4);
      expect(new Set(new LogMel({ ...common, ...settings, log: 'ln' }).of(new Float32Array(500)))).toEqual(
        new Set([Math.fround(Math.log(1e-10))]),
      );
    },
  );

  it("is what AlexNet's picture is drawn from, the lowest band first", () => {
    const clip = Float32Array.from({ length: 9000 }, (_, i) => Math.sin(i * i * 1e-3));
    const settings = { bands: 128, window: 640, hop: 160, fftSize: 800, lowest: 0, highest: 8000 };
    const found = new LogMel({ ...common, ...settings, preEmphasis: 0.97, log: 'unit' }).of(clip);
    const { levels, frames } = new AlexnetMel().levels(clip);
    const expected = Array.from(
      { length: frames * 128 },
      (_, i) => levels[(127 - (i % 128)) * frames + Math.floor(i / 128)] ?? NaN,
    );
    expect(largestError(found, expected)).toBeLessThan(1e-6);
  });
});
