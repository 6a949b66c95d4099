import { describe, expect, it } from 'vitest';
import type { HostBatch } from '../../src/head/contract.ts';
import { about, goldenBatch, goldenCase, largestDifference } from '../support/head-golden.ts';
import { ENGINES, withEngine } from '../support/head-engines.ts';

const CASES = [
  'default',
  'text.encoder=linear',
  'audio.alexnet=broadcast',
  'cross.residual=add-norm',
  'label.query=frames',
  'label.reduce=per-label',
  'label.reduce=concat',
  'gate=vector',
  'd=24, heads=2',
  'd=24, heads=2, per-label',
  'no-lsma-joo',
  'modality=text',
];

/** Rows 0 and 3 without text, row 2 without audio, row 4 without either: masks 0, what stands there is junk. */
const ABSENT = { text: [0, 3, 4], audio: [2, 4] };

function withAbsent(batch: HostBatch, junk: number): HostBatch {
  const feeds = { ...batch.feeds };
  for (const [input, rows] of Object.entries(ABSENT)) {
    for (const [name, value] of [
      [`${input}Mask`, 0],
      [input, junk],
    ] as const) {
      const values = feeds[name]?.slice();
      if (values === undefined) continue;
      const width = values.length / batch.shape.rows;
      for (const row of rows) values.fill(value, row * width, (row + 1) * width);
      feeds[name] = values;
    }
  }
  return { ...batch, feeds };
}

describe.each(Object.keys(ENGINES))('%s: a modality that is not there', (engineName) => {
  it.each(CASES)('%s: is finite, and nothing in its place or beside it is read', async (name) => {
    const entry = goldenCase(name);
    await withEngine(engineName, entry, async (engine) => {
      const run = async (batch: HostBatch) => {
        engine.clearGradients();
        const { loss, logits } = await engine.gradients(batch);
        return {
          loss,
          logits: logits.slice(0, about.rows * about.classes),
          gradient: engine.gradient.slice(),
        };
      };
      const plain = await run(withAbsent(goldenBatch(entry.config), 0));
      const padded = goldenBatch(entry.config, { rows: 2, text: 3, audio: 30, map: 2, junk: -2 });
      const other = await run(withAbsent(padded, 3));
      expect(plain.logits.every(Number.isFinite)).toBe(true);
      expect(plain.gradient.every(Number.isFinite)).toBe(true);
      expect(Math.abs(other.loss - plain.loss)).toBeLessThan(1e-5);
      expect(largestDifference(other.logits, plain.logits)).toBeLessThan(1e-5);
      const largest = Math.max(...plain.gradient.map(Math.abs));
      expect(largestDifference(other.gradient, plain.gradient)).toBeLessThan(2e-5 * largest);
      // and it is no small thing that is missing
      const whole = await run(goldenBatch(entry.config));
      expect(largestDifference(plain.logits, whole.logits)).toBeGreaterThan(0.01);
    });
  });
});

describe('what a head says then', () => {
  it('is what its other modality says; with neither it is one constant, whoever it is', async () => {
    const entry = goldenCase('default');
    await withEngine('traced', entry, async (engine) => {
      const batch = goldenBatch(entry.config);
      const none = { ...batch.feeds };
      for (const name of ['textMask', 'audioMask']) none[name] = new Float32Array(none[name]?.length ?? 0);
      const { logits, extra } = await engine.forward({ ...batch, feeds: none }, true);
      for (let row = 1; row < about.rows; row++) {
        const at = row * about.classes;
        expect(logits.subarray(at, at + about.classes)).toEqual(logits.subarray(0, about.classes));
      }
      const gate = extra['gate'] as Float32Array;
      expect((gate[0] as number) + (gate[1] as number)).toBeCloseTo(1, 6);
      expect([...(extra['cross.text'] as Float32Array)].every((value) => value === 0)).toBe(true);
    });
  });
});
