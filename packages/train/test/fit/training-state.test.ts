import { describe, expect, it } from 'vitest';
import { configure } from '../../src/config/configuration.ts';
import { biasSpans, euclideanNorm, labelSpans, TrainingState } from '../../src/fit/training-state.ts';
import { lsgmer } from '../../src/head/lsgmer.ts';
import type { OptionValue } from '../../src/head/contract.ts';
import { largestDifference } from '../support/head-golden.ts';
import { golden } from '../support/options-golden.ts';
import { TinyEngine, tinyHead } from '../support/tiny-head.ts';

const dims = { text: 2, audio: 3, map: 0 };

function start(set: { [key: string]: OptionValue } = {}, seed = 1) {
  const configuration = configure(tinyHead, [{ from: 'test', set }]);
  const engine = new TinyEngine(configuration.head, dims, 2);
  return { engine, state: new TrainingState(tinyHead, configuration, dims, 2, seed, engine) };
}

/** weight [5, 2], bias [2], labels [2, 5] */
const LABELS = [12, 22] as const;

describe('TrainingState', () => {
  it('starts from the seed; labels have a seed of their own', () => {
    const values = (set: { [key: string]: OptionValue }, seed?: number) => [
      ...start(set, seed).engine.parameters,
    ];
    expect(values({})).toEqual(values({}));
    expect(values({}, 2)).not.toEqual(values({}));
    expect(values({}, 2).slice(0, LABELS[0])).not.toEqual(values({}).slice(0, LABELS[0]));
    const other = values({ 'labels.seed': 2 });
    expect(other.slice(0, LABELS[0])).toEqual(values({}).slice(0, LABELS[0]));
    expect(other.slice(LABELS[0])).toEqual(values({}, 2).slice(LABELS[0]));
  });

  it('knows where the label tables lie', () => {
    const specs = tinyHead.parameters(configure(tinyHead, []).head, dims, 2);
    expect(labelSpans(specs)).toEqual([{ offset: 12, length: 10, rows: 2 }]);
  });

  it.each(golden.clip.clipped)('shortens a gradient to $limit as torch does', ({ limit, norm, gradient }) => {
    const { engine, state } = start({ clip: limit });
    engine.gradient.fill(0);
    engine.gradient.set(golden.clip.gradient.slice(0, 22));
    const whole = Math.sqrt(golden.clip.gradient.reduce((sum, x) => sum + x * x, 0));
    expect(whole).toBeCloseTo(norm, 12);
    const own = euclideanNorm(engine.gradient);
    const before = engine.gradient.slice();
    expect(state.update(0)).toBe(own);
    const factor = own > limit ? limit / (own + 1e-6) : 1;
    expect(
      largestDifference(
        engine.gradient,
        before.map((x) => x * factor),
      ),
    ).toBeLessThan(1e-7);
    // the rule itself, on torch's gradient
    const torch = norm > limit ? limit / (norm + 1e-6) : 1;
    expect(
      largestDifference(
        golden.clip.gradient.map((x) => x * torch),
        gradient,
      ),
    ).toBeLessThan(1e-6);
  });

  it('follows the schedule, and leaves biases undecayed where asked to', () => {
    const { engine, state } = start({ lr: 0.1, 'lr.schedule': 'linear' });
    engine.gradient.fill(1);
    state.update(0.75);
    expect(state.lr).toBeCloseTo(0.025, 12);
    const moved = (on: string): number[] => {
      const { engine, state } = start({ lr: 0.1, 'adamw.decay': 0.5, 'adamw.decay.on': on });
      engine.parameters.fill(1);
      engine.gradient.fill(0);
      state.update(0);
      return [...engine.parameters].map((x) => Math.round(x * 1e6) / 1e6);
    };
    expect(moved('all')).toEqual(Array(22).fill(0.95));
    expect(moved('weights')).toEqual([...Array(10).fill(0.95), 1, 1, ...Array(10).fill(0.95)]);
  });

  it('knows the biases of the LSGMER head', () => {
    const specs = lsgmer.parameters(configure(lsgmer, []).head, { text: 8, audio: 8, map: 14 }, 4);
    const named = new Map<number, string>();
    let offset = 0;
    for (const { name, shape } of specs) {
      named.set(offset, name);
      offset += shape.reduce((a, b) => a * b, 1);
    }
    const names = biasSpans(specs).map((span) => named.get(span.offset));
    expect(names).toContain('text.lstm.bih');
    expect(names).toEqual(
      specs.map(({ name }) => name).filter((name) => /\.(b|bq|bv|bo|bih|bhh|bias|gain)$/.test(name)),
    );
  });

  it('keeps 1 % of what an epoch moves the labels, and all of what it moves the rest', () => {
    const { engine, state } = start({ lr: 0.1, 'adamw.decay': 0 });
    const before = engine.parameters.slice();
    engine.gradient.fill(1);
    state.update(0); // AdamW's first step: lr for every parameter
    const movement = state.endEpoch();
    engine.parameters.forEach((x, i) => {
      const step = i < LABELS[0] ? 0.1 : 0.001;
      expect(x).toBeCloseTo((before[i] as number) - step, 6);
    });
    const norm = Math.hypot(...before.subarray(...LABELS));
    expect(movement.relative).toBeCloseTo((0.1 * Math.sqrt(10)) / norm, 5);
    expect(movement.cosines).toHaveLength(2);
  });

  it('goes on from its tensors as if nothing had been between', () => {
    const one = start();
    const steps = (run: ReturnType<typeof start>, from: number, to: number): void => {
      for (let i = from; i < to; i++) {
        run.engine.gradient.forEach((_, k) => (run.engine.gradient[k] = Math.sin(i + k)));
        run.state.update(0);
        if (i % 3 === 2) run.state.endEpoch();
      }
    };
    steps(one, 0, 5);
    const saved = structuredClone(one.state.tensors());
    steps(one, 5, 9);
    const two = start({}, 7);
    two.state.restore(saved, 5);
    steps(two, 5, 9);
    expect(two.state.tensors()).toEqual(one.state.tensors());
  });

  it('refuses tensors of another size', () => {
    const { state } = start();
    const { parameters: _, ...rest } = state.tensors();
    expect(() => state.restore(rest, 1)).toThrow('checkpoint: parameters has no values, expected 22');
  });

  it('names its parameters', () => {
    const { engine, state } = start();
    expect(Object.entries(state.named()).map(([name, { shape }]) => [name, shape])).toEqual([
      ['weight', [5, 2]],
      ['bias', [2]],
      ['labels', [2, 5]],
    ]);
    expect(state.named()['labels']?.values).toEqual(engine.parameters.slice(...LABELS));
  });
});
