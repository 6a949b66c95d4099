import { describe, expect, it } from 'vitest';
import { joinFeatures } from '../../src/batches/source.ts';
import {
  namedStandards,
  speakerStandards,
  type Standard,
  standardise,
  trainStandards,
} from '../../src/batches/standards.ts';
import { FloatSource } from '../support/float-source.ts';
import { largestDifference } from '../support/head-golden.ts';
import { golden } from '../support/options-golden.ts';

const { steps, lengths, mean, sd } = golden.standard;
const ids = ['demo/a', 'demo/b', 'demo/c'];
const rows = ids.map((id, i) => ({ id, label: 0, speaker: i < 2 ? 'F' : 'M' }));
let at = 0;
const source = new FloatSource(
  'frames',
  4,
  new Map(ids.map((id, i) => [id, steps.slice(at, (at += lengths[i] as number)).flat()])),
);
const joined = joinFeatures(rows, { audio: source });

describe('standards', () => {
  it("over a training part are scikit-learn's, far from zero too; a constant dimension has sd 1", async () => {
    const all = await trainStandards({ audio: source }, joined, [0, 1, 2]);
    const standard = all.of('audio', 'demo/x') as Standard;
    expect(largestDifference(standard.mean, mean.map(Math.fround))).toBe(0);
    const relative = [...standard.sd].map((x, k) => x / (sd[k] as number) - 1);
    expect(Math.max(...relative.map(Math.abs))).toBeLessThan(1e-7);
    expect(standard.sd[1]).toBe(1);
  });

  it('see the training part only, and come back from a checkpoint', async () => {
    const some = await trainStandards({ audio: source }, joined, [0, 1]);
    const all = await trainStandards({ audio: source }, joined, [0, 1, 2]);
    expect(some.of('audio', 'demo/c')).not.toEqual(all.of('audio', 'demo/c'));
    expect(Object.keys(some.named)).toEqual(['standardise.audio.mean', 'standardise.audio.sd']);
    expect(namedStandards(some.named).of('audio', 'demo/c')).toEqual(some.of('audio', 'demo/a'));
    expect(namedStandards(some.named).of('text', 'demo/c')).toBeUndefined();
  });

  it("by speaker are those of the speaker's own recordings", async () => {
    const own = await speakerStandards({ audio: source }, joined);
    const women = await trainStandards({ audio: source }, joined, [0, 1]);
    expect(own.of('audio', 'demo/b')).toEqual(women.of('audio', 'x'));
    expect(own.of('audio', 'demo/c')).toEqual(
      (await trainStandards({ audio: source }, joined, [2])).of('audio', 'x'),
    );
    expect(own.named).toEqual({});
    const mute = joinFeatures([...rows.slice(1), { id: 'demo/a', label: 0 }], { audio: source });
    await expect(speakerStandards({ audio: source }, mute)).rejects.toThrow(
      'standardise=speaker needs a speaker of every utterance: 1 have none (first: demo/a)',
    );
  });

  it('standardise gives mean 0 and sd 1', async () => {
    const standard = (await trainStandards({ audio: source }, joined, [0, 1, 2])).of('audio', 'x');
    const values = Float32Array.from(steps.flat());
    standardise(values, standard as NonNullable<typeof standard>);
    for (const [k, expected] of [1, 0, 1, 1].entries()) {
      const column = [...values].filter((_, i) => i % 4 === k);
      const centre = column.reduce((a, b) => a + b, 0) / 15;
      // float32 of values around 1e4 with an sd of 1e-3 has no more digits
      expect(centre).toBeCloseTo(0, k === 2 ? 0 : 5);
      const spread = Math.sqrt(column.reduce((a, b) => a + (b - centre) ** 2, 0) / 15);
      expect(spread).toBeCloseTo(expected, k === 2 ? 1 : 5);
    }
  });
});
