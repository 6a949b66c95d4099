import { expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { DEMO_CLASSES } from '../../../src/corpora/demo/ceilings.ts';
import { planDemo } from '../../../src/corpora/demo/plan.ts';
import { speak } from '../../../src/corpora/demo/voice.ts';
import { classify, nuisances } from './nuisance.ts';

/** Mean recall and accuracy of leaving one session out. */
function leaveOneSessionOut(
  measures: number[][],
  labels: number[],
  sessions: number[],
): { ua: number; wa: number } {
  const hits = DEMO_CLASSES.map(() => 0);
  const all = DEMO_CLASSES.map(() => 0);
  for (let session = 1; session <= 5; session++) {
    const rows = sessions.map((one, i) => [one, i] as const);
    const test = rows.filter(([one]) => one === session).map(([, i]) => i);
    const train = rows.filter(([one]) => one !== session).map(([, i]) => i);
    classify(measures, labels, train, test).forEach((guess, k) => {
      const label = labels[test[k] as number] as number;
      all[label] = (all[label] as number) + 1;
      if (guess === label) hits[label] = (hits[label] as number) + 1;
    });
  }
  const recalls = hits.map((hit, c) => hit / (all[c] as number));
  return {
    ua: recalls.reduce((a, b) => a + b, 0) / recalls.length,
    wa: hits.reduce((a, b) => a + b, 0) / labels.length,
  };
}

/** Energy of the first difference against that of the signal: a plain measure of brightness, which is a cue. */
function brightness(samples: Float32Array): number {
  let [rough, whole] = [0, 1e-9];
  for (let i = 1; i < samples.length; i++) {
    rough += ((samples[i] as number) - (samples[i - 1] as number)) ** 2;
    whole += (samples[i] as number) ** 2;
  }
  return Math.log(rough / whole);
}

it('lets nothing but the cues tell of the label', () => {
  const rows = planDemo(1, 800).flatMap((dialogue) =>
    dialogue.turns.map((turn, place) => ({ turn, place, session: dialogue.session })),
  );
  const task = rows.filter(({ turn }) => turn.emotion !== null);
  const sounds = task.map(({ turn }) =>
    speak(Rng.for('demo', 1, 'voice', turn.name), turn.speaker, turn.delivery, turn.prosody),
  );
  const labels = task.map(({ turn }) => DEMO_CLASSES.findIndex((one) => one.name === turn.emotion));
  const sessions = task.map(({ session }) => session);
  const measured = task.map(({ turn, place }, i) => nuisances(sounds[i] as Float32Array, turn, place));
  // the measures measure: pitch tells women from men, and the words tell the length
  const women = measured.filter((row) => row[9] === 1).map((row) => row[5] as number);
  const men = measured.filter((row) => row[9] === 0).map((row) => row[5] as number);
  const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] as number;
  expect(median(women)).toBeGreaterThan(1.5 * median(men));
  // chance is 25 % (UA) and 30 % (WA); with 800 rows its standard error is about 1.6
  const nothing = leaveOneSessionOut(measured, labels, sessions);
  expect(nothing.ua).toBeLessThan(0.3);
  expect(nothing.wa).toBeLessThan(0.34);
  // and the test would see it: one cue beside them is enough
  const withCue = measured.map((row, i) => [...row, brightness(sounds[i] as Float32Array)]);
  const some = leaveOneSessionOut(withCue, labels, sessions);
  expect(some.ua).toBeGreaterThan(0.38);
});
