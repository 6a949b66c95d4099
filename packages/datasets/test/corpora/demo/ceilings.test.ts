import { expect, it } from 'vitest';
import { ceilings, cueProbability, DEMO_CLASSES } from '../../../src/corpora/demo/ceilings.ts';

it('gives what the reliabilities allow', () => {
  const { text, audio, both } = ceilings();
  // a 0.9 cue on one dimension and a 0.6 cue on the other: 0.9 * 0.6; both modalities: the 0.9 cues decide
  for (const [scores, best] of [
    [text, 0.54],
    [audio, 0.54],
    [both, 0.81],
  ] as const) {
    expect(scores.wa).toBeCloseTo(best, 12);
    expect(scores.ua).toBeCloseTo(best, 12);
  }
});

it('has classes whose priors make arousal and valence independent', () => {
  const p = (keep: (one: (typeof DEMO_CLASSES)[number]) => boolean) =>
    DEMO_CLASSES.filter(keep).reduce((sum, one) => sum + one.prior, 0);
  expect(p(() => true)).toBeCloseTo(1, 12);
  for (const one of DEMO_CLASSES) {
    const product = p((other) => other.arousal === one.arousal) * p((other) => other.valence === one.valence);
    expect(one.prior, one.name).toBeCloseTo(product, 12);
  }
});

it('shows the true value with the reliability, else the opposite', () => {
  const angry = { arousal: true, valence: false };
  const reliability = { arousal: 0.9, valence: 0.6 };
  expect(cueProbability(angry, { arousal: true, valence: false }, reliability)).toBeCloseTo(0.54, 12);
  expect(cueProbability(angry, { arousal: false, valence: false }, reliability)).toBeCloseTo(0.06, 12);
  expect(cueProbability(angry, { arousal: true, valence: true }, reliability)).toBeCloseTo(0.36, 12);
});
