import { describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { deliverySamples, drawDelivery, drawSpeaker, speak } from '../../../src/corpora/demo/voice.ts';

const speaker = drawSpeaker(new Rng('s'), 'F');
const delivery = drawDelivery(new Rng('d'), [5, 6]);
const say = (arousal: boolean, valence: boolean, seed = 'v') =>
  speak(new Rng(seed), speaker, delivery, { arousal, valence });

const power = (samples: Float32Array) =>
  samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
/** Power near a frequency (Goertzel on 100 ms pieces), summed over a band. */
function band(samples: Float32Array, low: number, high: number): number {
  let sum = 0;
  for (let at = 0; at + 1600 <= samples.length; at += 1600) {
    for (let frequency = low; frequency < high; frequency += 20) {
      const k = 2 * Math.cos((2 * Math.PI * frequency) / 16000);
      let [a, b] = [0, 0];
      for (let i = 0; i < 1600; i++) [a, b] = [(samples[at + i] as number) + k * a - b, a];
      sum += a * a + b * b - k * a * b;
    }
  }
  return sum;
}

describe('speak', () => {
  it('has the planned length and level, whatever it shows', () => {
    const voiced = delivery.syllables.reduce((a, b) => a + b, 0) * delivery.syllableSamples;
    expect(voiced).toBe(13 * delivery.syllableSamples);
    for (const [arousal, valence] of [
      [true, true],
      [true, false],
      [false, true],
      [false, false],
    ] as const) {
      const samples = say(arousal, valence);
      expect(samples).toHaveLength(deliverySamples(delivery));
      const level = 10 * Math.log10((power(samples) * samples.length) / voiced);
      expect(Math.abs(level - delivery.gainDb)).toBeLessThan(0.1);
      const silence = samples.subarray(0, delivery.pauses[0]);
      expect(Math.abs(10 * Math.log10(power(silence)) - delivery.noiseDb)).toBeLessThan(0.5);
      expect(samples.every((value) => Math.abs(value) < 1)).toBe(true);
    }
  });

  it('shows arousal by brightness and valence by the place of the third formant', () => {
    const bright = (samples: Float32Array) => band(samples, 1500, 4000) / band(samples, 100, 1000);
    expect(bright(say(true, true))).toBeGreaterThan(5 * bright(say(false, true)));
    const lifted = (samples: Float32Array) => band(samples, 2700, 3300) / band(samples, 1700, 2200);
    for (const arousal of [true, false]) {
      expect(lifted(say(arousal, true))).toBeGreaterThan(4 * lifted(say(arousal, false)));
    }
  });

  it('is the same for the same seed', () => {
    expect(say(true, false)).toEqual(say(true, false));
    expect(say(true, false, 'w')).not.toEqual(say(true, false));
  });
});

describe('drawSpeaker and drawDelivery', () => {
  it('draw from ordinary ranges', () => {
    for (let i = 0; i < 200; i++) {
      const [woman, man] = [drawSpeaker(new Rng(i), 'F'), drawSpeaker(new Rng(i), 'M')];
      expect(woman.pitch).toBeGreaterThan(man.pitch);
      expect(man.pitch).toBeGreaterThan(75);
      expect(woman.pitch).toBeLessThan(270);
      const one = drawDelivery(new Rng(i), [5, 5, 5]);
      expect(one.pauses).toHaveLength(4);
      expect(one.noiseDb).toBeLessThan(one.gainDb - 30);
    }
  });
});
