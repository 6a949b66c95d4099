import { describe, expect, it } from 'vitest';
import type { HeadConfig, Init, ParameterSpec } from '../../src/head/contract.ts';
import { lsgmer } from '../../src/head/lsgmer.ts';
import { about, cases } from '../support/head-golden.ts';

const FULL = { text: 768, audio: 1024, map: 1792 };
const specsOf = (config: HeadConfig, classes = 4): ParameterSpec[] =>
  lsgmer.parameters(config, FULL, classes);
const size = ({ shape }: ParameterSpec): number => shape.reduce((a, b) => a * b, 1);
const initOf = (config: HeadConfig, name: string): Init | undefined =>
  specsOf(config).find((spec) => spec.name === name)?.init;

describe('lsgmerParameters', () => {
  it.each(cases.map((entry) => [entry.name, entry] as const))(
    '%s: has the names and shapes of the twin',
    (_, entry) => {
      const specs = lsgmer.parameters(entry.config, about.dims, about.classes);
      expect(specs.map(({ name, shape }) => [name, shape])).toEqual(
        entry.parameters.map(([name, shape]) => [name, shape]),
      );
    },
  );

  it('has the number of values that the PyTorch twin has, but for its four key biases', () => {
    // sum of numel() of Lsgmer(Options(), 768, 1024, 1792, classes): 2,762,502 and 2,764,041
    const total = (classes: number) => specsOf({}, classes).reduce((sum, spec) => sum + size(spec), 0);
    expect(total(4)).toBe(2_762_502 - 4 * 256);
    expect(total(7)).toBe(2_764_041 - 4 * 256);
  });

  it('starts as PyTorch does', () => {
    const uniform = (bound: number) => ({ kind: 'uniform', bound });
    expect(initOf({}, 'text.lstm.wx')).toEqual(uniform(1 / Math.sqrt(128)));
    expect(initOf({}, 'text.lstm.bhh')).toEqual(uniform(1 / Math.sqrt(128)));
    expect(initOf({}, 'audio.linear.w')).toEqual(uniform(1 / 32));
    expect(initOf({}, 'audio.linear.b')).toEqual(uniform(1 / 32));
    expect(initOf({ 'audio.alexnet': 'broadcast' }, 'audio.map.w')).toEqual(uniform(1 / 96)); // 9216 inputs
    expect(initOf({}, 'cross.text.wq')).toEqual(uniform(Math.sqrt(6 / 1024)));
    expect(initOf({}, 'cross.text.wo')).toEqual(uniform(1 / 16));
    expect(initOf({}, 'label.audio.bv')).toEqual({ kind: 'constant', value: 0 });
    expect(initOf({ 'cross.residual': 'add-norm' }, 'cross.audio.norm.gain')).toEqual({
      kind: 'constant',
      value: 1,
    });
  });

  it.each([
    ['1', { kind: 'normal', sd: 1 }],
    ['0.02', { kind: 'normal', sd: 0.02 }],
    ['xavier', { kind: 'uniform', bound: Math.sqrt(6 / 260) }],
  ])('label.init %s', (value, init) => {
    expect(initOf({ 'label.init': value }, 'label.table')).toEqual(init);
  });

  it('only the label tables are averaged and drawn from the labels stream', () => {
    const labels = (config: HeadConfig) =>
      specsOf(config)
        .filter(({ averaged, stream }) => averaged || stream === 'labels')
        .map(({ name, averaged, stream }) => [name, averaged, stream].join(' '));
    expect(labels({})).toEqual(['label.table true labels']);
    expect(labels({ 'label.tables': 'per-modality' })).toEqual([
      'label.table.audio true labels',
      'label.table.text true labels',
    ]);
    expect(labels({ 'label.tables': 'per-modality', modality: 'text' })).toEqual(['label.table true labels']);
    expect(labels({ 'label.attention': false, 'loss.apc': 0 })).toEqual([]);
    expect(labels({ 'label.attention': false })).toEqual(['label.table true labels']);
  });
});
