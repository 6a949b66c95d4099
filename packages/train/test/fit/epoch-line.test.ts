import { expect, it } from 'vitest';
import { epochLine } from '../../src/fit/epoch-line.ts';
import type { EpochRecord } from '../../src/record/run-state.ts';

const record = {
  epoch: 3,
  loss: 1.25,
  ce: 1.2,
  apc: 1,
  trainWa: 0.5,
  gradientNorm: 2.345,
  gate: [0.25, 0.75],
  labelMovement: 0.0123,
  dev: { ua: 0.6123 },
  test: { ua: 0.9 },
} as unknown as EpochRecord;
const timing = { epoch: 3, seconds: 2, utterancesPerSecond: 412.3 };

it('says everything but the test part in one line', () => {
  expect(epochLine('full Ses01 seed 1', 8, record, { timing, left: 400 }, 'ua')).toBe(
    'full Ses01 seed 1  epoch 3/8  loss 1.2500 (CE 1.2000, APC 1.0000)  train WA 50.0  dev UA 61.2  gradient 2.35  ' +
      'gate audio 0.25  labels moved 1.2 %  412 utt/s  7 min left',
  );
});

it('leaves out what a head has not', () => {
  const plain = { ...record, gate: null, labelMovement: null, dev: null, epoch: 8 };
  expect(epochLine('a', 8, plain, { timing, left: 0 }, 'ua')).toBe(
    'a  epoch 8/8  loss 1.2500 (CE 1.2000, APC 1.0000)  train WA 50.0  gradient 2.35  412 utt/s  done',
  );
});
