/** One band: the bins from `first` on, weighted; zero elsewhere. */
export interface MelBand {
  readonly first: number;
  readonly weights: Float64Array;
}

export interface MelBankSettings {
  /** In Hz. */
  readonly sampleRate: number;
  /** Size of the transform; the bins are k * sampleRate / fftSize for k = 0 .. fftSize / 2. */
  readonly fftSize: number;
  readonly bands: number;
  /** Lowest and highest frequency in Hz. */
  readonly lowest: number;
  readonly highest: number;
}

/**
 * Triangular mel filters in Slaney's convention (Auditory Toolbox, 1998), scale and norm: linear below 1 kHz,
 * logarithmic above, each triangle with an area of 1 per Hz. Equals librosa.filters.mel(htk=False,
 * norm='slaney'). (The HTK scale without norm, torchaudio's default, differs by a factor of up to 26.)
 */
export function melBank(settings: MelBankSettings): MelBand[] {
  const { sampleRate, fftSize, bands } = settings;
  const from = hertzToMel(settings.lowest);
  const to = hertzToMel(settings.highest);
  const corner = (i: number): number => melToHertz(from + ((to - from) * i) / (bands + 1));
  const bins = Math.floor(fftSize / 2) + 1;
  return Array.from({ length: bands }, (_, band) => {
    const [low, centre, high] = [corner(band), corner(band + 1), corner(band + 2)];
    const first = Math.min(bins, Math.floor((low * fftSize) / sampleRate) + 1);
    const end = Math.min(bins, Math.ceil((high * fftSize) / sampleRate));
    const weights = new Float64Array(Math.max(0, end - first));
    for (let i = 0; i < weights.length; i++) {
      const hertz = ((first + i) * sampleRate) / fftSize;
      const height = Math.min((hertz - low) / (centre - low), (high - hertz) / (high - centre));
      weights[i] = (2 / (high - low)) * Math.max(0, height);
    }
    return { first, weights };
  });
}

/** 1 kHz is 15 mel on this scale. */
const MEL_AT_1K = 15;
const HERTZ_PER_MEL = 200 / 3;
/** Above 1 kHz the frequency grows by 6.4 every 27 mel. */
const LOG_STEP = Math.log(6.4) / 27;

export function hertzToMel(hertz: number): number {
  return hertz < 1000 ? hertz / HERTZ_PER_MEL : MEL_AT_1K + Math.log(hertz / 1000) / LOG_STEP;
}

export function melToHertz(mel: number): number {
  return mel < MEL_AT_1K ? mel * HERTZ_PER_MEL : 1000 * Math.exp(LOG_STEP * (mel - MEL_AT_1K));
}
