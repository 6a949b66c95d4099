import { Fft } from './fft.ts';

export interface PowerSettings {
  /** y[i] = x[i] - preEmphasis * x[i - 1], with x[-1] = 0. */
  readonly preEmphasis: number;
  /** Samples of the periodic Hamming window; it stands in the middle of the transform. */
  readonly window: number;
  readonly hop: number;
  readonly fftSize: number;
}

/**
 * Power spectra of a waveform's frames: |STFT|^2 with zero padding of fftSize / 2 samples at both ends, so that
 * frame t is centred at sample t * hop. Equals librosa.stft(center=True, pad_mode='constant') squared.
 */
export class PowerSpectra {
  readonly settings: PowerSettings;
  /** fftSize / 2 + 1 */
  readonly bins: number;
  private readonly fft: Fft;
  private readonly window: Float64Array;

  constructor(settings: PowerSettings) {
    this.settings = settings;
    this.bins = Math.floor(settings.fftSize / 2) + 1;
    this.fft = new Fft(settings.fftSize);
    this.window = new Float64Array(settings.fftSize);
    const offset = Math.floor((settings.fftSize - settings.window) / 2);
    for (let i = 0; i < settings.window; i++) {
      this.window[offset + i] = 0.54 - 0.46 * Math.cos((2 * Math.PI * i) / settings.window);
    }
  }

  /** Frames of a waveform of that many samples. */
  frames(samples: number): number {
    return 1 + Math.floor(samples / this.settings.hop);
  }

  /**
   * Calls `visit` with each frame's index and power in order; the array is used again after the call.
   * @param samples [n] at the rate that the settings were made for
   */
  forEach(samples: Float32Array, visit: (frame: number, power: Float64Array) => void): void {
    const { hop, fftSize } = this.settings;
    const padded = this.pad(samples);
    const frames = this.frames(samples.length);
    const re = new Float64Array(fftSize);
    const im = new Float64Array(fftSize);
    const power = new Float64Array(this.bins);
    // Two real frames go through one complex transform, as its real and its imaginary part.
    for (let frame = 0; frame < frames; frame += 2) {
      const paired = frame + 1 < frames;
      const at = frame * hop;
      for (let i = 0; i < fftSize; i++) {
        const weight = this.window[i]!;
        re[i] = weight * padded[at + i]!;
        im[i] = paired ? weight * padded[at + hop + i]! : 0;
      }
      this.fft.transform(re, im);
      for (let k = 0; k < this.bins; k++) power[k] = partPower(re, im, k, 1);
      visit(frame, power);
      if (!paired) break;
      for (let k = 0; k < this.bins; k++) power[k] = partPower(re, im, k, -1);
      visit(frame + 1, power);
    }
  }

  /** Pre-emphasis, and half a transform of zeros at both ends. */
  private pad(samples: Float32Array): Float64Array {
    const { preEmphasis, fftSize, hop } = this.settings;
    const half = Math.floor(fftSize / 2);
    // One hop more, so that the second frame of the last pair can always be read.
    const padded = new Float64Array(samples.length + fftSize + hop);
    let previous = 0;
    for (let i = 0; i < samples.length; i++) {
      const sample = samples[i]!;
      padded[half + i] = sample - preEmphasis * previous;
      previous = sample;
    }
    return padded;
  }
}

/** |X_k|^2 of the frame in the real part (sign 1) or in the imaginary part (sign -1) of a joint transform. */
function partPower(re: Float64Array, im: Float64Array, k: number, sign: 1 | -1): number {
  const mirror = k === 0 ? 0 : re.length - k;
  const a = (re[k]! + sign * re[mirror]!) / 2;
  const b = (im[k]! - sign * im[mirror]!) / 2;
  return a * a + b * b;
}
