import { describe, expect, it } from 'vitest';
import { AdamW } from '../../src/engine/adamw.ts';
import { labelSpans } from '../../src/fit/training-state.ts';
import { lsgmer } from '../../src/head/lsgmer.ts';
import { LabelAverage } from '../../src/head/moving-average.ts';
import {
  about,
  cases,
  goldenBatch,
  goldenDims,
  goldenTensor,
  largestDifference,
  worstTensor,
  type GoldenCase,
} from '../support/head-golden.ts';
import { withEngine } from '../support/head-engines.ts';

const { training } = about;
const trained = cases.filter((entry) => entry.losses !== undefined);
/** Cases that train to test Eq. 9 have no gradients of their own: the default's are the same. */
const averaging = trained.filter((entry) => entry.loss === undefined);

/** Largest difference of a label's value that counts as equal. */
const LABELS = 1e-5;

function labelsOf(entry: GoldenCase, flat: Float32Array): number[] {
  const spans = labelSpans(lsgmer.parameters(entry.config, goldenDims, about.classes));
  return spans.flatMap(({ offset, length }) => Array.from(flat.subarray(offset, offset + length)));
}

/** 20 AdamW steps with Eq. 9 every 5: losses, and the labels that evaluation sees after each epoch. */
async function train(engineName: string, entry: GoldenCase) {
  return withEngine(engineName, entry, async (engine) => {
    const specs = lsgmer.parameters(entry.config, goldenDims, about.classes);
    const spans = labelSpans(specs);
    const optimiser = new AdamW(engine.parameters.length, training);
    const average = new LabelAverage(entry.config, spans, engine.parameters);
    const batch = goldenBatch(entry.config);
    const forget = (list: typeof spans) => {
      for (const { offset, length } of list) {
        optimiser.first.fill(0, offset, offset + length);
        optimiser.second.fill(0, offset, offset + length);
      }
    };
    const losses: number[] = [];
    const seen: number[] = [];
    for (let step = 1; step <= training.steps; step++) {
      engine.clearGradients();
      losses.push((await engine.gradients(batch)).loss);
      optimiser.step(engine.parameters, engine.gradient);
      forget([...average.afterStep(engine.parameters)]);
      if (step % training.epoch !== 0) continue;
      forget([...average.afterEpoch(engine.parameters).forget]);
      const back = average.forEvaluation(engine.parameters);
      for (const { offset, length } of spans)
        seen.push(...engine.parameters.subarray(offset, offset + length));
      back();
    }
    return { losses, seen, parameters: engine.parameters.slice() };
  });
}

describe.each([
  ['eager', trained.filter((entry) => !averaging.includes(entry))],
  ['traced', trained],
] as const)('%s: 20 AdamW steps equal PyTorch', (engineName, list) => {
  it.each(list.map((entry) => [entry.name, entry] as const))('%s', async (_, entry) => {
    const { losses, seen, parameters } = await train(engineName, entry);
    losses.forEach((loss, step) => {
      const expected = entry.losses?.[step] as number;
      expect(Math.abs(loss / expected - 1), `loss of step ${step + 1}`).toBeLessThan(1e-3);
    });
    expect(losses.at(-1)).toBeLessThan(0.99 * (losses[0] as number)); // it learns
    const { name, error } = worstTensor(entry, parameters, goldenTensor(`${entry.name}/final`));
    expect(error, `final ${name}`).toBeLessThan(1e-3);
    // labels move by little: a tolerance that tells one reading of Eq. 9 from another
    const final = labelsOf(entry, goldenTensor(`${entry.name}/final`));
    expect(largestDifference(labelsOf(entry, parameters), final)).toBeLessThan(LABELS);
    if (averaging.includes(entry))
      expect(largestDifference(seen, goldenTensor(`${entry.name}/averages`))).toBeLessThan(LABELS);
  });
});

describe('the settings of Eq. 9', () => {
  it('lead to labels that differ by more than the tolerance', () => {
    // a shadow trains as if there were no average: not compared
    const compared = trained.filter(
      ({ name }) => name === 'default' || name === 'no-ma' || /^ma\..*(step|clear)/.test(name),
    );
    expect(compared.length).toBe(5);
    const labels = compared.map((entry) => labelsOf(entry, goldenTensor(`${entry.name}/final`)));
    labels.forEach((a, i) => {
      for (const [j, b] of labels.entries())
        if (j < i)
          expect(largestDifference(a, b), `${compared[i]?.name} and ${compared[j]?.name}`).toBeGreaterThan(
            5 * LABELS,
          );
    });
  });
});
