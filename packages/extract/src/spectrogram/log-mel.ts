import { type OnnxInput, inputRate } from '../encoders/onnx-config.ts';
import { type MelBand, melBank } from './mel-bank.ts';
import { PowerSpectra } from './power.ts';

export type LogMelSettings = Extract<OnnxInput, { kind: 'log-mel' }>;

/** Decibels below the maximum that become 0 under `unit`. */
const RANGE = 80;

/** Logarithmic mel spectrograms, the lowest band first. */
export class LogMel {
  private readonly settings: LogMelSettings;
  private readonly spectra: PowerSpectra;
  private readonly bank: readonly MelBand[];

  constructor(settings: LogMelSettings) {
    this.settings = settings;
    this.spectra = new PowerSpectra(settings);
    this.bank = melBank({ ...settings, sampleRate: inputRate(settings) });
  }

  frames(samples: number): number {
    return this.spectra.frames(samples);
  }

  /** @returns [frames, bands], row-major */
  of(samples: Float32Array): Float32Array {
    const { bands, log, floor } = this.settings;
    const powers = new Float64Array(this.frames(samples.length) * bands);
    this.spectra.forEach(samples, (frame, power) => {
      this.bank.forEach(({ first, weights }, band) => {
        let sum = 0;
        for (let i = 0; i < weights.length; i++) sum += (weights[i] as number) * (power[first + i] as number);
        powers[frame * bands + band] = sum;
      });
    });
    if (log !== 'unit') {
      const scale = log === 'ln' ? 1 : Math.LOG10E;
      return Float32Array.from(powers, (power) => scale * Math.log(Math.max(power, floor)));
    }
    const loudest = powers.reduce((most, power) => Math.max(most, power), 0);
    if (loudest === 0) return new Float32Array(powers.length);
    return Float32Array.from(powers, (power) => {
      const decibels = 10 * Math.log10(power / loudest);
      return (Math.max(-RANGE, decibels) + RANGE) / RANGE;
    });
  }
}
