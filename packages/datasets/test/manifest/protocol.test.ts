import { describe, expect, it } from 'vitest';
import { Protocol } from '../../src/manifest/card.ts';
import {
  describeProtocol,
  namedSplits,
  parseProtocol,
  PROTOCOL_NAMES,
  sharedByDesign,
} from '../../src/manifest/protocol.ts';

const sessions: Protocol = { kind: 'leave-one-session-out' };
const split: Protocol = {
  kind: 'fixed-split',
  train: ['train'],
  dev: ['dev'],
  test: ['test'],
  shared: ['speaker'],
};
const parse = (name: string, own: Protocol = sessions, splits: (string | null)[] = []) =>
  parseProtocol(name, own, splits);

describe('parseProtocol', () => {
  it('knows the names, with k and seed where they are given', () => {
    expect(parse('leave-one-session-out')).toEqual(sessions);
    expect(parse('leave-one-speaker-out')).toEqual({ kind: 'leave-one-speaker-out' });
    expect(parse('by-speaker')).toEqual({ kind: 'by-speaker' });
    expect(parse('by-speaker:3')).toEqual({ kind: 'by-speaker', k: 3 });
    expect(parse('by-dialogue')).toEqual({ kind: 'by-dialogue', k: 5 });
    expect(parse('by-dialogue:10')).toEqual({ kind: 'by-dialogue', k: 10 });
    expect(parse('random')).toEqual({ kind: 'random', k: 5, seed: 1 });
    expect(parse('random:4:7')).toEqual({ kind: 'random', k: 4, seed: 7 });
    for (const name of ['by-dialogue', 'random:2'])
      expect(Protocol.safeParse(parse(name)).success).toBe(true);
  });

  it("takes the card's own where it is of that name", () => {
    const shared: Protocol = { kind: 'leave-one-session-out', shared: ['text'] };
    expect(parse('leave-one-session-out', shared)).toBe(shared);
    const tenfold: Protocol = { kind: 'by-dialogue', k: 10 };
    expect(parse('by-dialogue', tenfold)).toBe(tenfold);
    expect(parse('by-dialogue:5', tenfold)).toEqual({ kind: 'by-dialogue', k: 5 });
    expect(parse('fixed-split', split)).toBe(split);
  });

  it('trains on dev where it is asked to', () => {
    expect(parse('fixed-split+dev', split)).toEqual({ ...split, train: ['train', 'dev'], dev: [] });
  });

  it('finds the split of a corpus whose card has another protocol', () => {
    const values = ['train', 'val', 'test', 'train', null];
    const found = { kind: 'fixed-split', train: ['train'], dev: ['val'], test: ['test'] };
    expect(parse('fixed-split', sessions, values)).toEqual(found);
    expect(() => parse('fixed-split', sessions, [null])).toThrow(
      'a fixed split needs the splits train and test: found no split at all',
    );
    expect(() => namedSplits(['a', 'train'])).toThrow('found a, train');
  });

  it('names the choices', () => {
    for (const wrong of ['loso', '', 'random:x', 'leave-one-session-out:5', 'random:5:1:1', 'by-speaker:3:1'])
      expect(() => parse(wrong), wrong).toThrow(`choose one of ${PROTOCOL_NAMES.join(', ')}`);
    expect(() => parse('random:1')).toThrow('--protocol random:1: k must be 2 or more');
  });
});

describe('describeProtocol', () => {
  it('says it in words', () => {
    expect(describeProtocol(parse('random:5:3'))).toBe('5 random folds (seed 3)');
    expect(describeProtocol(parse('fixed-split+dev', split))).toBe('fixed split: train and dev against test');
    expect(describeProtocol(parse('leave-one-speaker-out'))).toBe('leave one speaker out');
    expect(describeProtocol(parse('by-speaker:3'))).toBe('3 folds by speaker');
    expect(describeProtocol(sessions)).toBe('leave one session out');
    expect(describeProtocol(parse('by-dialogue'))).toBe('5 folds by dialogue');
  });
});

describe('sharedByDesign', () => {
  it('is what the card says, or what the protocol cannot avoid', () => {
    expect(sharedByDesign(split)).toEqual(['speaker']);
    expect(sharedByDesign(sessions)).toEqual([]);
    expect(sharedByDesign(parse('leave-one-speaker-out'))).toEqual([]);
    expect(sharedByDesign(parse('by-dialogue'))).toEqual(['speaker', 'recording']);
    expect(sharedByDesign(parse('random'))).toEqual(['speaker', 'dialogue', 'recording']);
  });
});
