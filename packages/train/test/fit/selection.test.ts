import { describe, expect, it } from 'vitest';
import { EpochSelection } from '../../src/fit/selection.ts';

const parameters = (value: number) => () => new Float32Array([value]);

describe('EpochSelection', () => {
  it('keeps the best epoch of each rule, the earliest on ties, with its parameters', () => {
    const selection = new EpochSelection();
    [0.4, 0.6, 0.6, 0.5].forEach((score, i) => selection.offer('dev', i + 1, score, parameters(i + 1)));
    selection.offer('oracle-test', 1, 0, parameters(1));
    expect(selection.of('dev')).toEqual({ epoch: 2, score: 0.6, parameters: new Float32Array([2]) });
    expect(selection.chosen).toEqual({
      dev: { epoch: 2, score: 0.6 },
      'oracle-test': { epoch: 1, score: 0 },
    });
  });

  it('copies parameters only where they are kept', () => {
    const selection = new EpochSelection();
    let copies = 0;
    for (const score of [0.3, 0.2, 0.1, 0.4])
      selection.offer('dev', 1, score, () => new Float32Array([++copies]));
    expect(copies).toBe(2);
  });

  it('goes on from a checkpoint', () => {
    const one = new EpochSelection();
    one.offer('dev', 3, 0.5, parameters(7));
    const two = new EpochSelection();
    two.restore(one.chosen, one.tensors());
    two.offer('dev', 4, 0.5, parameters(8));
    expect(two.of('dev')).toEqual(one.of('dev'));
    expect(() => new EpochSelection().restore(one.chosen, {})).toThrow('no parameters chosen by dev');
  });
});
