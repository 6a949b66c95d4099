import { Rng } from '@lsgmer/datasets';
import { parameterViews } from '../engine/parameters.ts';
import { CHECK_CLASSES, CHECK_DIMS, checkBatch } from './check-batch.ts';
import type { Engine, Head, HeadConfig } from './contract.ts';

/** What the loss changes along a direction, and what the gradient says that it should. */
interface Slope {
  readonly name: string;
  readonly measured: number;
  readonly expected: number;
}

/** Relative difference that float32 and the curve itself explain. */
const TOLERANCE = 0.03;
/** How much the loss may change in a step, and how long the step may be at most. */
const STEPS = [
  [1e-2, 0.05],
  [1e-3, 0.01],
  [2e-4, 0.003],
  [5e-5, 0.0005],
  [3e-2, 0.05],
] as const;
/** A gradient below this share of the largest is rounding: it is not compared. */
const NEGLIGIBLE = 1e-3;

/**
 * Compares the gradient of every parameter with central differences of the loss: along the gradient itself, where
 * the signal is largest, and along random signs, where what is missing shows.
 * @throws Error that names the parameters that differ, with both numbers
 */
export async function finiteDifferences(head: Head, config: HeadConfig, engine: Engine): Promise<string> {
  const batch = await checkBatch(head, config);
  const lossAt = async (): Promise<number> => {
    engine.clearGradients();
    return (await engine.gradients(batch)).loss;
  };
  await lossAt();
  const gradient = engine.gradient.slice();
  const start = engine.parameters.slice();
  const views = parameterViews(head.parameters(config, CHECK_DIMS, CHECK_CLASSES));
  const norm = (values: Float32Array): number => Math.hypot(...values);
  const largest = Math.max(
    ...views.map(({ offset, length }) => norm(gradient.subarray(offset, offset + length))),
  );

  const slope = async (offset: number, direction: Float32Array, step: number): Promise<number> => {
    const move = (by: number): void => {
      engine.parameters.set(start);
      direction.forEach((value, i) => {
        engine.parameters[offset + i] = (start[offset + i] as number) + by * value;
      });
    };
    move(step);
    const above = await lossAt();
    move(-step);
    const below = await lossAt();
    engine.parameters.set(start);
    return (above - below) / (2 * step);
  };
  const wrong: Slope[] = [];
  const unused: string[] = [];
  let compared = 0;
  for (const { name, offset, length } of views) {
    const own = gradient.subarray(offset, offset + length);
    const size = norm(own);
    if (size === 0) unused.push(name);
    const rng = Rng.for('head check', 'signs', name);
    const signs = Float32Array.from(own, () => (rng.uniform() < 0.5 ? -1 : 1) / Math.sqrt(length));
    const directions = size < NEGLIGIBLE * largest ? [signs] : [own.map((value) => value / size), signs];
    for (const direction of directions) {
      const expected = direction.reduce((sum, value, i) => sum + value * (own[i] as number), 0);
      const scale = Math.max(Math.abs(expected), 0.2 * size, 0.02 * largest);
      let measured = NaN;
      // finer steps where the loss bends or has a corner (ReLU), a coarser one where it is flat
      for (const [change, longest] of STEPS) {
        measured = await slope(offset, direction, Math.min(longest, change / scale));
        if (Math.abs(measured - expected) <= TOLERANCE * scale) break;
      }
      compared++;
      if (!(Math.abs(measured - expected) <= TOLERANCE * scale)) wrong.push({ name, measured, expected });
    }
  }
  if (wrong.length > 0) {
    const list = wrong.map(
      ({ name, measured, expected }) =>
        `${name}: the loss changes by ${measured.toPrecision(3)}, the gradient says ${expected.toPrecision(3)}`,
    );
    throw new Error([...new Set(list)].join('; '));
  }
  const note = unused.length === 0 ? '' : `; no gradient reaches ${unused.join(', ')}`;
  return `${compared} directions of ${views.length} tensors agree${note}`;
}
