import { describe, expect, it } from 'vitest';
import { describeFinding } from '../../src/manifest/finding.ts';
import type { Utterance } from '../../src/manifest/utterance.ts';
import { oddRecordings, repeatedRows } from '../../src/manifest/validate-corpus.ts';
import { row } from '../support.ts';

const sha = (digit: string) => digit.repeat(64);
const media = (changes = {}) => ({
  path: 'a.wav',
  sha256: null,
  seconds: 1,
  sampleRate: 16000,
  channels: 1,
  ...changes,
});
const lines = (rows: readonly Utterance[]) =>
  repeatedRows(rows, undefined).map((one) => `${one.level} ${describeFinding(one)}`);

describe('repeatedRows', () => {
  it('finds ids that are there twice', () => {
    expect(lines([row('d/a'), row('d/b'), row('d/a')])).toEqual([
      'error d/a: duplicate-id: expected each id once, found it again',
    ]);
  });

  it('finds recordings under two ids, with their labels where they differ', () => {
    const rows = [
      row('d/a', { media: media({ sha256: sha('1') }), rawLabel: 'x' }),
      row('d/b', { media: media({ sha256: sha('1'), path: 'b.wav' }), rawLabel: 'y' }),
      row('d/c', { media: media({ sha256: sha('1'), path: 'c.wav' }), rawLabel: 'x' }),
      row('d/d', { media: media({ sha256: sha('2') }) }),
    ];
    expect(lines(rows)).toEqual([
      'error b.wav d/b: duplicate-audio: expected a recording of its own, found that of d/a with another label (x there, y here)',
      'error c.wav d/c: duplicate-audio: expected a recording of its own, found that of d/a',
    ]);
    // files that were not hashed say nothing
    expect(lines(rows.map((one) => ({ ...one, media: media() })))).toEqual([]);
  });

  it('takes segments of one recording for different sounds', () => {
    const part = (start: number) => media({ sha256: sha('1'), start, end: start + 1 });
    expect(lines([row('d/a', { media: part(0) }), row('d/b', { media: part(1) })])).toEqual([]);
    expect(lines([row('d/a', { media: part(0) }), row('d/b', { media: part(0) })])).toHaveLength(2);
  });

  it('warns of two rows of one split in one time span', () => {
    const tags = { season: '1', episode: '1', start: '0:00:01,0', end: '0:00:02,0' };
    const rows = [
      row('d/a', { tags, split: 'train', rawLabel: 'joy' }),
      row('d/b', { tags, split: 'train', rawLabel: 'fear' }),
      row('d/c', { tags, split: 'test' }),
    ];
    expect(lines(rows)).toEqual([
      'warning d/b: duplicate-span: expected a time span of its own, found that of d/a with another label (joy there, fear here)',
    ]);
  });
});

describe('oddRecordings', () => {
  const of = (rates: (number | null)[], channels: number[]) =>
    oddRecordings(
      rates.map((sampleRate, i) =>
        row(`d/${i}`, { media: media({ sampleRate, channels: channels[i], path: `${i}.wav` }) }),
      ),
    ).map((one) => `${one.level} ${describeFinding(one)}`);

  it('warns of those that differ from the most', () => {
    expect(of([48000, 48000, 44100, null], [6, 2, 6, 6])).toEqual([
      'warning 2.wav d/2: sample-rate: expected 48000 Hz as 2 of 3 have, found 44100',
      'warning 1.wav d/1: channels: expected 6 channels as 3 of 4 have, found 2',
    ]);
    expect(of([16000, 16000], [1, 1])).toEqual([]);
    expect(of([null], [1])).toEqual([]);
  });

  it('says once what is below 16 kHz, and does not call the others odd', () => {
    expect(of([8000, 8000], [1, 1])).toEqual([
      'warning sample-rate: expected 16000 Hz or more, found 8000 Hz in 2 of 2 recordings',
    ]);
    expect(of([8000, 8000, 11025, 16000, 8000], [1, 1, 1, 1, 1])).toEqual([
      'warning sample-rate: expected 16000 Hz or more, found 11025 Hz in 1, 8000 Hz in 3 of 5 recordings',
    ]);
  });

  it('says once that none is what most have', () => {
    expect(of([48000, 8000, 16000, 48000, 8000], [1, 2, 1, 2, 1])).toEqual([
      'warning sample-rate: expected 16000 Hz or more, found 8000 Hz in 2 of 5 recordings',
      'warning sample-rate: expected one rate in most of 5 recordings, found 8000 (2), 48000 (2), 16000 (1)',
      'warning 1.wav d/1: channels: expected 1 channels as 3 of 5 have, found 2',
      'warning 3.wav d/3: channels: expected 1 channels as 3 of 5 have, found 2',
    ]);
  });
});
