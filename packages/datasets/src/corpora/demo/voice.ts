import type { Rng } from '../../base/rng.ts';
import type { Dimensions } from './ceilings.ts';

export const SAMPLE_RATE = 16000;

/** What makes a speaker's voice; drawn once for each, whatever is said. */
export interface Speaker {
  /** Middle of the pitch range, in Hz. */
  readonly pitch: number;
  /** Factor on all formants (length of the vocal tract). */
  readonly formants: number;
}

/** Everything about one recording but its cues; drawn without looking at the label. */
export interface Delivery {
  /** Syllables of each clause. */
  readonly syllables: readonly number[];
  /** Samples of one syllable. */
  readonly syllableSamples: number;
  /** Samples of silence before, between and after the clauses: one more than there are clauses. */
  readonly pauses: readonly number[];
  /** Factor on the speaker's pitch. */
  readonly pitch: number;
  /** Root mean square of the voice, and of the noise below it, in dB of full scale. */
  readonly gainDb: number;
  readonly noiseDb: number;
}

const SYLLABLES_PER_WORD = 1.1;

export function drawSpeaker(rng: Rng, letter: 'F' | 'M'): Speaker {
  const woman = letter === 'F';
  return {
    pitch: (woman ? 190 : 110) * Math.exp(0.08 * rng.normal()),
    formants: (woman ? 1.04 : 1) + 0.02 * (2 * rng.uniform() - 1),
  };
}

/** @param clauses words of each clause. */
export function drawDelivery(rng: Rng, clauses: readonly number[]): Delivery {
  const rate = 6 + 1.6 * rng.uniform(); // syllables a second
  const seconds = (low: number, high: number) =>
    Math.round((low + (high - low) * rng.uniform()) * SAMPLE_RATE);
  const gainDb = -26 + 8 * (rng.uniform() - 0.5);
  return {
    syllables: clauses.map((words) => Math.round(words * SYLLABLES_PER_WORD)),
    syllableSamples: Math.round(SAMPLE_RATE / rate),
    pauses: Array.from({ length: clauses.length + 1 }, (_, i) =>
      i === 0 || i === clauses.length ? seconds(0.04, 0.14) : seconds(0.06, 0.22),
    ),
    pitch: Math.exp(0.06 * rng.normal()),
    gainDb,
    noiseDb: gainDb - 32 - 8 * rng.uniform(),
  };
}

/** Length of the recording, in samples. */
export function deliverySamples(delivery: Delivery): number {
  const silence = delivery.pauses.reduce((sum, pause) => sum + pause, 0);
  return silence + delivery.syllables.reduce((sum, count) => sum + count, 0) * delivery.syllableSamples;
}

/** First three formants of five vowels, in Hz (Peterson and Barney 1952, men, rounded). */
const VOWELS = [
  [730, 1090, 2440],
  [530, 1840, 2480],
  [390, 1990, 2550],
  [570, 840, 2410],
  [440, 1020, 2240],
] as const;
const FOURTH = 3500;
const BANDWIDTHS = [130, 70, 70, 200] as const;

/**
 * Cue of arousal: each syllable's pitch rises or falls by this part around the same middle, and the voice is pressed
 * (bright) or lax (dark): the pole of a low-pass of first order, negative for the opposite of one.
 */
const GLIDE = 0.3;
const TILT = { high: -0.6, low: 0.9 } as const;
/** Cue of valence: second and third formant go up (as with spread lips) or down by this part. */
const FORMANT_SHIFT = { second: 0.15, third: 0.24 } as const;

/**
 * Speech-like sound: pulses at the pitch through a tilt filter and four resonances, syllable by syllable. Length,
 * pauses, level and noise are those of `delivery` to the sample and the dB: the cues change the shape of the
 * spectrum and of the pitch contour, and nothing else.
 */
export function speak(
  rng: Rng,
  speaker: Speaker,
  delivery: Delivery,
  cues: Dimensions<boolean>,
): Float32Array {
  const samples = new Float32Array(deliverySamples(delivery));
  const length = delivery.syllableSamples;
  const throat = new VocalTract(cues.arousal ? TILT.high : TILT.low);
  let power = 0;
  let voiced = 0;
  let at = 0;
  delivery.syllables.forEach((count, clause) => {
    at += delivery.pauses[clause] as number;
    for (let i = 0; i < count; i++) {
      const syllable = samples.subarray(at, at + length);
      // the pitch falls by a tenth over a clause, whatever is said
      const declination = 1.05 - (0.1 * i) / count;
      throat.shape(formantsOf(rng, speaker, cues.valence));
      voice(
        rng,
        syllable,
        throat,
        speaker.pitch * delivery.pitch * declination,
        cues.arousal ? GLIDE : -GLIDE,
      );
      for (const value of syllable) power += value * value;
      voiced += length;
      at += length;
    }
  });
  const gain = 10 ** (delivery.gainDb / 20) / Math.sqrt(power / voiced);
  // uniform in -1..1 has power 1/3
  const noise = 10 ** (delivery.noiseDb / 20) * Math.sqrt(3);
  for (let i = 0; i < samples.length; i++) {
    samples[i] = (samples[i] as number) * gain + noise * (rng.uint32() / 2147483648 - 1);
  }
  return samples;
}

function formantsOf(rng: Rng, speaker: Speaker, positive: boolean): number[] {
  const [first, second, third] = rng.pick(VOWELS);
  const sign = positive ? 1 : -1;
  const loose = () => speaker.formants * (1 + 0.02 * (2 * rng.uniform() - 1));
  return [
    first * loose(),
    second * (1 + sign * FORMANT_SHIFT.second) * loose(),
    third * (1 + sign * FORMANT_SHIFT.third) * loose(),
    FOURTH * loose(),
  ];
}

/** Part of a syllable over which it rises, and over which it decays. */
const EDGE = 0.25;

/**
 * One syllable: pitch pulses through the tract. It is the same forwards and backwards in level, and has its level
 * whatever the tract does to the pulses, so that loudness, its course, and the middle of the pitch tell nothing.
 */
function voice(rng: Rng, out: Float32Array, throat: VocalTract, pitch: number, glide: number): void {
  const loudness = 10 ** ((4 * rng.uniform() - 2) / 20);
  const edge = EDGE * out.length;
  let phase = rng.uniform();
  let power = 0;
  for (let i = 0; i < out.length; i++) {
    const contour = Math.exp(glide * ((2 * i) / out.length - 1));
    phase += (pitch * contour) / SAMPLE_RATE;
    let pulse = 0.02 * (rng.uint32() / 2147483648 - 1);
    if (phase >= 1) {
      phase -= 1;
      // pulses that follow each other faster are weaker, for the same power
      pulse += 1 / Math.sqrt(contour);
    }
    const value = Math.min(1, i / edge, (out.length - i) / edge) * throat.next(pulse);
    power += value * value;
    out[i] = value;
  }
  const level = loudness / Math.sqrt(power / out.length);
  for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) * level;
}

/** A filter of first order (the tilt of the source) and four resonances in a row (Klatt 1980, equation 1). */
class VocalTract {
  private readonly tilt: number;
  private source = 0;
  private readonly a = new Float64Array(4);
  private readonly b = new Float64Array(4);
  private readonly c = new Float64Array(4);
  private readonly y1 = new Float64Array(4);
  private readonly y2 = new Float64Array(4);

  /** @param tilt pole of the filter: 0 leaves the pulses as they are, above it darkens, below it brightens. */
  constructor(tilt: number) {
    this.tilt = tilt;
  }

  /** @param formants four centre frequencies, in Hz. */
  shape(formants: readonly number[]): void {
    formants.forEach((frequency, i) => {
      const radius = Math.exp((-Math.PI * (BANDWIDTHS[i] as number)) / SAMPLE_RATE);
      this.c[i] = -radius * radius;
      this.b[i] = 2 * radius * Math.cos((2 * Math.PI * frequency) / SAMPLE_RATE);
      this.a[i] = 1 - this.b[i] - this.c[i];
    });
  }

  next(pulse: number): number {
    const { a, b, c, y1, y2 } = this;
    this.source += (1 - this.tilt) * (pulse - this.source);
    let x = this.source;
    for (let i = 0; i < 4; i++) {
      const y =
        (a[i] as number) * x + (b[i] as number) * (y1[i] as number) + (c[i] as number) * (y2[i] as number);
      y2[i] = y1[i] as number;
      y1[i] = y;
      x = y;
    }
    return x;
  }
}
