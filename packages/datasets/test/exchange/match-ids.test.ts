import { describe, expect, it } from 'vitest';
import { IdMatcher } from '../../src/exchange/match-ids.ts';

const MELD = ['meld/train/dia0_utt0', 'meld/dev/dia0_utt0', 'meld/test/dia0_utt0', 'meld/train/dia9_utt1'];
const IEMOCAP = ['iemocap/Ses01F_impro01_F000', 'iemocap/Ses01F_impro01_M000'];

describe('names become ids', () => {
  it.each([
    ['meld/train/dia0_utt0', 'meld/train/dia0_utt0'],
    ['features/wavlm/train/dia0_utt0', 'meld/train/dia0_utt0'],
    ['dev\\dia0_utt0', 'meld/dev/dia0_utt0'],
    ['./test/dia0_utt0.mp4', 'meld/test/dia0_utt0'],
    ['features/dia9_utt1', 'meld/train/dia9_utt1'],
    ['dia9_utt1.wav', 'meld/train/dia9_utt1'],
  ])('%s is %s', (name, id) => {
    expect(new IdMatcher(MELD).match([name])).toEqual({ id });
  });

  it('by their last part, where that is one utterance', () => {
    const matcher = new IdMatcher(IEMOCAP);
    expect(matcher.match(['all/Ses01F_impro01_F000', 'all'])).toEqual({ id: IEMOCAP[0] });
    expect(matcher.match(['Ses01F_impro01_M000/hidden', 'Ses01F_impro01_M000'])).toEqual({ id: IEMOCAP[1] });
    expect(matcher.match(['Ses01F_impro01_M00'])).toEqual({
      problem: 'no utterance is called Ses01F_impro01_M00',
    });
  });

  it('that fit several are listed, unless a split is chosen', () => {
    expect(new IdMatcher(MELD).match(['all/dia0_utt0'])).toEqual({
      problem:
        'dia0_utt0 may be meld/train/dia0_utt0, meld/dev/dia0_utt0, meld/test/dia0_utt0: put the part that tells them apart into the name, or choose a split with --split',
    });
    expect(new IdMatcher(['meld/dev/dia0_utt0'], MELD).match(['all/dia0_utt0'])).toEqual({
      id: 'meld/dev/dia0_utt0',
    });
  });

  it('that name another split than the only utterance of that name are refused', () => {
    const problem = 'there is no dev/dia9_utt1, only meld/train/dia9_utt1';
    expect(new IdMatcher(MELD).match(['dev/dia9_utt1'])).toEqual({ problem });
    expect(new IdMatcher(['meld/dev/dia0_utt0'], MELD).match(['train/dia0_utt0'])).toEqual({
      problem: 'there is no train/dia0_utt0, only meld/dev/dia0_utt0',
    });
  });

  it('keeps endings that belong to the id', () => {
    expect(new IdMatcher(['d/a.wav']).match(['a.wav'])).toEqual({ id: 'd/a.wav' });
  });
});
