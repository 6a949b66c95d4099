import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silent } from '../../src/base/reporter.ts';
import { describeFinding } from '../../src/manifest/finding.ts';
import { MediaCache } from '../../src/manifest/media-cache.ts';
import { readMedia } from '../../src/manifest/media.ts';
import { placeSegment } from '../../src/manifest/segment.ts';
import { putFiles, row, temporaryFolder, wavBytes } from '../support.ts';

const segment = (bounds: { start?: number; end?: number }, seconds: number | null = 10) =>
  row('mine/a', {
    media: { path: 'a.wav', ...bounds, sha256: null, seconds, sampleRate: null, channels: null },
  });
const place = (bounds: { start?: number; end?: number }, seconds: number | null = 10) => {
  const { utterance, problem } = placeSegment(segment(bounds, seconds));
  return [utterance.media?.seconds, problem === null ? null : [problem.level, describeFinding(problem)]];
};

describe('placeSegment', () => {
  it('gives the length of the segment, whichever bounds it has', () => {
    expect(place({ start: 0.1, end: 0.3 })).toEqual([0.2, null]);
    expect(place({ start: 2.5 })).toEqual([7.5, null]);
    expect(place({ end: 4 })).toEqual([4, null]);
    expect(place({})).toEqual([10, null]);
    expect(place({ start: 9, end: 10.01 })).toEqual([1, null]);
  });

  it('knows the length of a segment whose recording was not read, where it has an end', () => {
    expect(place({ start: 1, end: 3 }, null)).toEqual([2, null]);
    expect(place({ start: 1 }, null)).toEqual([null, null]);
  });

  it('warns of a segment that ends a little late, and refuses one that is elsewhere', () => {
    const within = 'a.wav mine/a: segment: expected a segment within the 10 s of the recording';
    expect(place({ start: 9, end: 10.4 })).toEqual([
      1,
      ['warning', `${within}: it is cut there, found 9 to 10.4 s`],
    ]);
    expect(place({ start: 9, end: 10.6 })).toEqual([1, ['error', `${within}, found 9 to 10.6 s`]]);
    expect(place({ start: 10, end: 10.2 })).toEqual([0, ['error', `${within}, found 10 to 10.2 s`]]);
    expect(place({ start: 12 })).toEqual([0, ['error', `${within}, found 12 to the end s`]]);
    const backwards = 'a.wav mine/a: segment: expected an end after the start, found 3 to 2 s';
    expect(place({ start: 3, end: 2 })).toEqual([0, ['error', backwards]]);
    expect(placeSegment(segment({ start: 12 })).utterance.tags).toEqual({ media: 'segment' });
  });
});

describe('placeSegment of a channel', () => {
  it('refuses one that the recording does not have', () => {
    const of = (channel: number) => {
      const whole = { sha256: null, seconds: 10, sampleRate: 16000, channels: 2 };
      const placed = placeSegment(row('mine/a', { media: { path: 'a.wav', channel, ...whole } }));
      return [
        placed.utterance.tags['media'],
        placed.problem === null ? null : describeFinding(placed.problem),
      ];
    };
    expect(of(1)).toEqual([undefined, null]);
    expect(of(2)).toEqual([
      'segment',
      'a.wav mine/a: segment: expected one of the 2 channels, counted from 0, found channel 2',
    ]);
  });
});

describe('readMedia of segments', () => {
  it('reads a recording once for all its segments, and says which of them it does not have', async () => {
    const root = temporaryFolder();
    putFiles(root, { 'a.wav': wavBytes(2) });
    const cache = new MediaCache(join(root, 'cache.json'), root);
    const rows = [
      { start: 0, end: 1 },
      { start: 1.5, end: 2.5 },
      { start: 3, end: 4 },
    ].map((bounds, i) => ({ ...segment(bounds, null), id: `mine/${i}` }));
    const { utterances, problems } = await readMedia(rows, { root, mode: 'hash', cache, reporter: silent });
    expect(utterances.map((one) => one.media?.seconds)).toEqual([1, 0.5, 0]);
    expect(new Set(utterances.map((one) => one.media?.sha256)).size).toBe(1);
    expect(problems.map((one) => [one.id, one.level])).toEqual([
      ['mine/1', 'warning'],
      ['mine/2', 'error'],
    ]);
  });
});
