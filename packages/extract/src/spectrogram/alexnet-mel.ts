import { type MelBand, melBank } from './mel-bank.ts';
import { resizeBilinear } from './picture.ts';
import { PowerSpectra } from './power.ts';

/**
 * alexnet-mel v1: what the picture is made of. The numbers are part of the fingerprint; a change of any of them,
 * or of the computation, is a new version.
 */
export const ALEXNET_MEL = {
  name: 'alexnet-mel',
  version: 1,
  sampleRate: 16_000,
  preEmphasis: 0.97,
  window: 640,
  hop: 160,
  fftSize: 800,
  bands: 128,
  lowest: 0,
  highest: 8000,
  /** dB below the utterance's maximum that become 0. */
  range: 80,
  rows: 256,
  samplesPerColumn: 125,
  /** An AlexNet's `features` need 63 columns for one step. */
  leastColumns: 63,
} as const;

export interface Picture {
  /** [256, columns], row-major, 0..1; the lowest frequencies are in the last row. */
  readonly values: Float32Array;
  readonly columns: number;
}

/** Columns of the picture of a waveform of that many samples. */
export function pictureColumns(samples: number): number {
  return Math.max(ALEXNET_MEL.leastColumns, ownColumns(samples));
}

/** Columns that the utterance itself fills; at least one, as a waveform has at least one frame. */
function ownColumns(samples: number): number {
  return Math.max(1, Math.round(samples / ALEXNET_MEL.samplesPerColumn));
}

/**
 * The log-mel picture of a whole utterance (no segments), one channel; the encoder's graph repeats it three
 * times and applies ImageNet's mean and standard deviation. Gain changes nothing: dB are relative to the
 * utterance's maximum, with no absolute floor.
 */
export class AlexnetMel {
  private readonly spectra = new PowerSpectra(ALEXNET_MEL);
  private readonly bank: readonly MelBand[] = melBank(ALEXNET_MEL);

  /** @param samples [n], n > 0, at 16 kHz */
  picture(samples: Float32Array): Picture {
    const { levels, frames } = this.levels(samples);
    const own = ownColumns(samples.length);
    const columns = pictureColumns(samples.length);
    const values = new Float32Array(ALEXNET_MEL.rows * columns);
    resizeBilinear(levels, ALEXNET_MEL.bands, frames, values, ALEXNET_MEL.rows, own, columns);
    return { values, columns };
  }

  /**
   * The mel spectrogram in dB, mapped to 0..1.
   * @returns levels [128, frames], the highest band first; all 0 for digital silence
   */
  levels(samples: Float32Array): { levels: Float64Array; frames: number } {
    const frames = this.spectra.frames(samples.length);
    const { bands, range } = ALEXNET_MEL;
    const levels = new Float64Array(bands * frames);
    let loudest = 0;
    this.spectra.forEach(samples, (frame, power) => {
      this.bank.forEach(({ first, weights }, band) => {
        let sum = 0;
        for (let i = 0; i < weights.length; i++) sum += weights[i]! * power[first + i]!;
        levels[(bands - 1 - band) * frames + frame] = sum;
        if (sum > loudest) loudest = sum;
      });
    });
    if (loudest === 0) return { levels, frames };
    const loudestDb = 10 * Math.log10(loudest);
    for (let i = 0; i < levels.length; i++) {
      // log10(0) is -infinity, which the clip takes to the floor.
      const decibel = Math.max(-range, 10 * Math.log10(levels[i]!) - loudestDb);
      levels[i] = (decibel + range) / range;
    }
    return { levels, frames };
  }
}
