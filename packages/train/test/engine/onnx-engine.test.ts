import { UserError } from '@lsgmer/datasets';
import * as cpu from '@tensorflow/tfjs-backend-cpu';
import { probeDevices, tf } from '@lsgmer/onnx';
import { afterEach, describe, expect, it } from 'vitest';
import { EagerEngine } from '../../src/engine/eager-engine.ts';
import { OnnxEngine, type OnnxEngineOptions } from '../../src/engine/onnx-engine.ts';
import type { Engine, HostBatch } from '../../src/head/contract.ts';
import { initialValues } from '../../src/head/initial-values.ts';
import { lsgmer } from '../../src/head/lsgmer.ts';
import { engineBatch, engineClasses, engineDims, engineHead, halved } from '../support/engine-head.ts';
import { about, goldenBatch, goldenCase, goldenDims } from '../support/head-golden.ts';

const open: Engine[] = [];
afterEach(async () => {
  for (const engine of open.splice(0)) await engine.dispose();
});

async function engines(options: OnnxEngineOptions = {}): Promise<{ traced: OnnxEngine; eager: EagerEngine }> {
  const traced = await OnnxEngine.create(engineHead, {}, engineDims, engineClasses, {
    device: 'cpu',
    ...options,
  });
  const eager = new EagerEngine(engineHead, {}, engineDims, engineClasses);
  const start = initialValues(engineHead.parameters({}, engineDims, engineClasses), {
    weights: 1,
    labels: 1,
  });
  traced.parameters.set(start);
  eager.parameters.set(start);
  open.push(traced);
  return { traced, eager };
}

/** Largest difference relative to the largest expected value. */
function error(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length);
  const scale = Math.max(...Array.from(expected, Math.abs)) || 1;
  return Math.max(...Array.from(expected, (value, i) => Math.abs((found[i] as number) - value))) / scale;
}

tf.env().set('IS_TEST', true); // no greeting
await tf.setBackend('cpu');

describe(`OnnxEngine against EagerEngine on tfjs-cpu ${cpu.version_cpu}`, () => {
  it('loss, logits and gradients; a parameter that the loss ignores gets zeros', async () => {
    const { traced, eager } = await engines();
    const batch = engineBatch(5, 4);
    const [found, expected] = [await traced.gradients(batch), await eager.gradients(batch)];
    expect(found.loss).toBeCloseTo(expected.loss, 6);
    expect(found.ce).toBeCloseTo(expected.ce, 6);
    expect(found.apc).toBeCloseTo(expected.apc, 6);
    expect(error(found.logits, expected.logits)).toBeLessThan(1e-6);
    expect(error(traced.gradient, eager.gradient)).toBeLessThan(1e-6);
    const specs = engineHead.parameters({}, engineDims, engineClasses);
    let at = 0;
    for (const { name, shape } of specs) {
      const part = traced.gradient.subarray(at, (at += shape.reduce((a, b) => a * b, 1)));
      expect(
        part.every((value) => value === 0),
        name,
      ).toBe(name === 'idle');
    }
  });

  it('the whole LSGMER head, extra outputs included', async () => {
    const { config } = goldenCase('default');
    const classes = about.classes;
    const traced = await OnnxEngine.create(lsgmer, config, goldenDims, classes, { device: 'cpu' });
    const eager = new EagerEngine(lsgmer, config, goldenDims, classes);
    open.push(traced);
    const seeds = { weights: 5, labels: 6 };
    for (const engine of [traced, eager]) {
      engine.parameters.set(initialValues(lsgmer.parameters(config, goldenDims, classes), seeds));
    }
    const batch = goldenBatch(config);
    const [found, expected] = [await traced.gradients(batch), await eager.gradients(batch)];
    expect(found.loss).toBeCloseTo(expected.loss, 6);
    expect(error(found.logits, expected.logits)).toBeLessThan(1e-5);
    expect(error(traced.gradient, eager.gradient)).toBeLessThan(1e-5);
    const [looked, wanted] = [await traced.forward(batch, true), await eager.forward(batch, true)];
    expect(Object.keys(looked.extra)).toEqual(Object.keys(wanted.extra));
    expect(Object.keys(looked.extra).length).toBeGreaterThan(0);
    for (const [name, values] of Object.entries(wanted.extra)) {
      expect(error(looked.extra[name] as Float32Array, values), name).toBeLessThan(1e-5);
    }
  });

  it('adds up micro-batches, starts anew after a clear, and is 0 right after one', async () => {
    const { traced, eager } = await engines();
    const batches = [engineBatch(5, 4, 'one'), engineBatch(3, 6, 'two'), engineBatch(5, 4, 'three')];
    for (const batch of batches) {
      await traced.gradients(batch);
      await eager.gradients(batch);
    }
    expect(error(traced.gradient, eager.gradient)).toBeLessThan(1e-6);
    traced.clearGradients();
    eager.clearGradients();
    expect(traced.gradient.every((value) => value === 0)).toBe(true);
    for (const engine of [traced, eager]) await engine.gradients(batches[1] as HostBatch);
    expect(error(traced.gradient, eager.gradient)).toBeLessThan(1e-6);
  });

  it('sees parameters that were changed in place', async () => {
    const { traced, eager } = await engines();
    const batch = engineBatch(4, 3);
    const before = await traced.gradients(batch);
    for (const engine of [traced, eager])
      engine.parameters.forEach((value, i, all) => (all[i] = value * 0.5));
    const after = await traced.gradients(batch);
    expect(after.loss).not.toBe(before.loss);
    expect(after.loss).toBeCloseTo((await eager.gradients(batch)).loss, 6);
  });

  it('evaluates without dropout; extra tensors only when asked for', async () => {
    const { traced, eager } = await engines();
    const batch = engineBatch(5, 4);
    const plain = await traced.forward(batch);
    expect(plain.extra).toEqual({});
    const analysed = await traced.forward(batch, true);
    const expected = await eager.forward(batch, true);
    expect(Object.keys(analysed.extra)).toEqual(['steps', 'squared', 'fused']);
    expect(plain.logits).toEqual(analysed.logits);
    expect(error(plain.logits, expected.logits)).toBeLessThan(1e-6);
    for (const name of ['steps', 'squared', 'fused']) {
      expect(error(analysed.extra[name] as Float32Array, expected.extra[name] as Float32Array)).toBeLessThan(
        1e-6,
      );
    }
    expect(error((await traced.gradients(batch)).logits, plain.logits)).toBeGreaterThan(0.01);
    const evaluation = { ...batch.feeds };
    delete (evaluation as Record<string, unknown>)['dropout.text'];
    await expect(traced.forward({ ...batch, feeds: evaluation })).rejects.toThrow(
      'the batch has no dropout.text',
    );
  });

  it('takes float16 features, cast in the graph', async () => {
    const { traced, eager } = await engines();
    const { half, single } = halved(engineBatch(5, 4));
    const found = await traced.gradients(half);
    const gradient = traced.gradient.slice();
    traced.clearGradients();
    expect(await traced.gradients(single)).toEqual(found);
    expect(traced.gradient).toEqual(gradient);
    expect((await eager.gradients(half)).logits).toEqual((await eager.gradients(single)).logits);
    const mask = half.feeds['textMask'] as Float32Array;
    const wrong = { ...half, feeds: { ...half.feeds, textMask: new Uint16Array(mask.length) } };
    await expect(traced.gradients(wrong)).rejects.toThrow('input textMask must be float32');
  });

  it('gives the same bits again', async () => {
    const { traced } = await engines();
    const batch = engineBatch(6, 5);
    const first = { step: await traced.gradients(batch), gradient: traced.gradient.slice() };
    traced.clearGradients();
    expect(await traced.gradients(batch)).toEqual(first.step);
    expect(traced.gradient).toEqual(first.gradient);
  });

  it('releases the session that was unused longest when the live ones hold too many frames', async () => {
    const { traced } = await engines({ liveFrames: 40 });
    const [small, medium, large] = [engineBatch(3, 4), engineBatch(3, 6), engineBatch(10, 9)];
    const first = await traced.gradients(small); // 12 frames
    const gradient = traced.gradient.slice();
    await traced.gradients(medium); // 18
    await traced.gradients(small);
    expect(traced.liveGraphs).toEqual(['train 3 6 0 0', 'train 3 4 0 0']);
    await traced.gradients(engineBatch(3, 7)); // 21
    expect(traced.liveGraphs).toEqual(['train 3 4 0 0', 'train 3 7 0 0']);
    await traced.gradients(large); // 90, more than the limit
    expect(traced.liveGraphs).toEqual(['train 10 9 0 0']);
    traced.clearGradients();
    expect(await traced.gradients(small)).toEqual(first); // made again
    expect(traced.gradient).toEqual(gradient);
    await traced.gradients(large);
    await traced.forward(small); // 6
    expect(traced.liveGraphs).toEqual(['evaluate 3 4 0 0']);
    await traced.dispose();
    expect(traced.liveGraphs).toEqual([]);
  });

  it('a batch with too few values, or an absent device, is an error in one line', async () => {
    const { traced } = await engines();
    const batch = engineBatch(3, 4);
    const short = { ...batch, feeds: { ...batch.feeds, weight: new Float32Array(2) } };
    await expect(traced.gradients(short)).rejects.toThrow(
      'input weight of the batch has 2 values, [3] needs 3',
    );
    for (const { device, available } of await probeDevices()) {
      if (available) continue;
      const created = OnnxEngine.create(engineHead, {}, engineDims, engineClasses, { device });
      await expect(created).rejects.toThrow(UserError);
      await expect(created).rejects.toThrow(`device ${device} is not available: `);
    }
  });

  it('leaves no tensors behind', async () => {
    const { traced, eager } = await engines();
    const batch = engineBatch(3, 4);
    const before = tf.memory().numTensors;
    await eager.gradients(batch);
    await eager.forward(batch, true);
    expect(tf.memory().numTensors).toBe(before);
    await traced.gradients(batch);
    await traced.forward(batch, true);
    expect(tf.memory().numTensors).toBe(before);
  });
});
