import { createSession, modelBytes } from '@lsgmer/onnx';
import { describe, expect, it } from 'vitest';
import { type AlexnetConfig, alexnetSteps, buildAlexnet } from '../../src/encoders/alexnet.ts';
import { golden, largestError } from '../support.ts';
import { goldenWeights } from './seeded.ts';

const { channels, seed, runs } = golden('encoders/alexnet.json') as {
  channels: AlexnetConfig['channels'];
  seed: number;
  runs: { columns: number; batch: number; steps: number; features: number[] }[];
};

describe('buildAlexnet', () => {
  it("gives the features of torchvision's AlexNet, step by step", async () => {
    const weights = goldenWeights(seed);
    const model = modelBytes(buildAlexnet({ model_type: 'alexnet', channels }, weights));
    const session = await createSession(model, { device: 'cpu', threads: 1 });
    for (const { columns, batch, steps, features } of runs) {
      const shape = [batch, 256, columns];
      const picture = { data: weights.tensor(`picture.${columns}`, shape), shape };
      const { features: out } = await session.run({ picture });
      expect(out?.shape).toEqual([batch, steps, 70]);
      expect(alexnetSteps(columns)).toBe(steps);
      const scale = Math.max(...features);
      expect(largestError(out?.data as Float32Array, features) / scale).toBeLessThan(1e-5);
    }
    await session.release();
  });

  it('makes 11 steps of 3 s and 39 of 10 s', () => {
    expect([63, 94, 95, 384, 1280].map(alexnetSteps)).toEqual([1, 1, 2, 11, 39]);
  });
});
