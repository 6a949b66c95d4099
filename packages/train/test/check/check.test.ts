import { describe, expect, it } from 'vitest';
import { silent } from '@lsgmer/datasets';
import { checkTraining } from '../../src/check/check.ts';
import { planExperiment } from '../../src/experiment/plan.ts';
import type { ExperimentRequest } from '../../src/experiment/request.ts';
import { folds, rows, tinyRequest, tinySources } from '../support/tiny-experiment.ts';

async function check(request: ExperimentRequest) {
  const [variant] = planExperiment(request).variants;
  if (variant?.runs[0] === undefined) throw new Error('no run');
  let clock = 0;
  const now = (): number => clock++;
  const found = await checkTraining(request, variant, variant.runs[0], { reporter: silent, now });
  return new Map(found.map((one) => [one.name, one]));
}

const failed = (found: Map<string, { passed: boolean }>): string[] =>
  [...found].filter(([, one]) => !one.passed).map(([name]) => name);

/** Every row's class written into every step of a source. */
function telling(sources: ReturnType<typeof tinySources>, of: ('text' | 'audio')[]) {
  for (const { id, label } of rows) {
    for (const name of of) {
      const values = sources[name].rows.get(id) as Uint16Array;
      for (let i = 0; i < values.length; i += sources[name].dim)
        for (let k = 0; k < 3; k++) values[i + k] = k === label ? 0x4400 : 0; // 4
    }
  }
  return sources;
}

describe('checkTraining', () => {
  it('passes where features tell the class and the head looks at both', async () => {
    const sources = telling(tinySources(), ['text', 'audio']);
    const found = await check(tinyRequest('/nowhere', { folds, sources, set: { lr: 0.05 } }));
    expect(failed(found)).toEqual([]);
    expect([...found.keys()]).toEqual([
      'first loss',
      'by heart',
      'gradients',
      'without text',
      'without audio',
      'permuted labels',
    ]);
    expect(found.get('by heart')?.text).toMatch(/^32 of 32 utterances learnt by heart in \d+0 updates$/);
    expect(found.get('first loss')?.text).toMatch(/ln 3 = 1.099$/);
  });

  it('finds features that say nothing, the same for every utterance', async () => {
    const sources = tinySources();
    for (const source of [sources.text, sources.audio])
      for (const values of source.rows.values()) values.fill(0x3c00);
    const found = await check(tinyRequest('/nowhere', { folds, sources }));
    expect(failed(found)).toEqual(['by heart']);
    expect(found.get('by heart')?.text).toMatch(/labels and features may not belong together/);
  });

  it('finds features far from unit scale', async () => {
    const sources = tinySources();
    for (const values of sources.text.rows.values())
      for (let i = 0; i < values.length; i++) values[i] = 0x7000; // 8192
    const found = await check(tinyRequest('/nowhere', { folds, sources }));
    expect(failed(found)).toContain('first loss');
    expect(found.get('first loss')?.text).toMatch(/standardise=train/);
  });

  it('finds a parameter that nothing depends on', async () => {
    // without the label term no gradient reaches the labels
    const found = await check(tinyRequest('/nowhere', { folds, set: { apc: 0 } }));
    expect(found.get('gradients')).toMatchObject({
      passed: false,
      text: 'no gradient reaches labels: nothing in the loss depends on them',
    });
  });
});
