import { describe, expect, it } from 'vitest';
import { OnnxEngine } from '../../packages/train/src/engine/onnx-engine.ts';
import type { HeadConfig, HostBatch } from '../../packages/train/src/head/contract.ts';
import { initialValues } from '../../packages/train/src/head/initial-values.ts';
import { lsgmer } from '../../packages/train/src/head/lsgmer.ts';
import { halved } from '../../packages/train/test/support/engine-head.ts';
import { about, cases, goldenBatch, goldenDims } from '../../packages/train/test/support/head-golden.ts';
import { DEVICE, TOLERANCE } from './device.ts';

interface Step {
  readonly losses: readonly number[];
  readonly logits: Float32Array;
  readonly gradient: Float32Array;
  readonly extra: Record<string, Float32Array>;
}

/** One training step and one forward pass with all that a report shows. */
async function step(device: 'cpu' | typeof DEVICE, config: HeadConfig, batch: HostBatch): Promise<Step> {
  const engine = await OnnxEngine.create(lsgmer, config, goldenDims, about.classes, { device, threads: 1 });
  try {
    const specs = lsgmer.parameters(config, goldenDims, about.classes);
    engine.parameters.set(initialValues(specs, { weights: 5, labels: 6 }));
    const { loss, ce, apc, logits } = await engine.gradients(batch);
    const gradient = Float32Array.from(engine.gradient);
    const { extra } = await engine.forward(batch, true);
    return { losses: [loss, ce, apc], logits, gradient, extra };
  } finally {
    await engine.dispose();
  }
}

/** Largest difference relative to the largest expected value. */
function error(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length);
  let [largest, scale] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    scale = Math.max(scale, Math.abs(expected[i] as number));
    const one = Math.abs((found[i] as number) - (expected[i] as number));
    if (!(one <= largest)) largest = one;
  }
  return largest / (scale || 1);
}

async function compare(config: HeadConfig, batch: HostBatch): Promise<void> {
  const [expected, found] = [await step('cpu', config, batch), await step(DEVICE, config, batch)];
  for (const [i, loss] of expected.losses.entries())
    expect(Math.abs((found.losses[i] as number) - loss)).toBeLessThan(TOLERANCE);
  expect(error(found.logits, expected.logits)).toBeLessThan(TOLERANCE);
  expect(error(found.gradient, expected.gradient)).toBeLessThan(TOLERANCE);
  expect(Object.keys(found.extra)).toEqual(Object.keys(expected.extra));
  for (const [name, values] of Object.entries(expected.extra))
    expect(error(found.extra[name] as Float32Array, values), name).toBeLessThan(TOLERANCE);
}

describe(`the LSGMER step on ${DEVICE} against the CPU`, () => {
  it.each(cases.map((one) => [one.name, one.config] as const))('%s', async (_, config) => {
    await compare(config, goldenBatch(config));
  });

  it('float16 features, and rows and steps of padding', async () => {
    const padding = { text: 3, audio: 5, map: 2, rows: 2, junk: 3 };
    await compare({}, halved(goldenBatch({}, padding)).half);
  });
});
