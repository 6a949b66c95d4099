import { describe, expect, it } from 'vitest';
import { noSums, parseEpochs, parseState } from '../../src/record/run-state.ts';

const state = {
  format: 2,
  run: 'a',
  status: 'running',
  epoch: 1,
  position: 2,
  step: 3,
  sums: noSums,
  chosen: {},
  checkpoint: null,
};

describe('run state', () => {
  it('keeps sums exactly through JSON', () => {
    const sums = { ...noSums, loss: 0.1 + 0.2, ce: 1 / 3, apc: 5e-324, rows: 7 };
    expect(parseState(JSON.stringify({ ...state, sums }), 's').sums).toEqual(sums);
  });

  it('names a file that is not a state, and a line that is not a record', () => {
    expect(() => parseState('{"format": 1}', 'r/state.json')).toThrow('r/state.json: damaged run record');
    expect(() => parseEpochs('\n{"epoch": 1}\n', 'r/metrics.jsonl')).toThrow(
      'r/metrics.jsonl:1: damaged run record',
    );
    expect(parseEpochs('', 'r/metrics.jsonl')).toEqual([]);
  });
});
