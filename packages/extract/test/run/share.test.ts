import { describe, expect, it } from 'vitest';
import type { Utterance } from '@lsgmer/datasets';
import { parsePart, shareOf } from '../../src/run/share.ts';
import { utterance } from './corpus.ts';

const clip = (id: string, path: string, seconds: number | null, segment: object = {}): Utterance =>
  utterance(`toy/${id}`, {
    media: { path, sha256: null, seconds, sampleRate: null, channels: null, ...segment },
  });

describe('parsePart', () => {
  it('reads shares and names', () => {
    expect(parsePart('2/4')).toEqual({ name: 'share-2-of-4', share: { share: 2, of: 4 } });
    expect(parsePart('main')).toEqual({ name: 'main', share: null });
  });

  it('refuses shares that are none', () => {
    expect(() => parsePart('5/4')).toThrow('part 5/4: shares are numbered from 1 to 4');
    expect(() => parsePart('0/4')).toThrow('part 0/4: shares are numbered from 1 to 4');
    expect(() => parsePart('1/0')).toThrow('part 1/0');
    expect(() => parsePart('a/b')).toThrow('part a/b: expected a name, or a share such as 1/4');
  });
});

describe('shareOf', () => {
  const rows = [
    clip('a', 'one.wav', 8),
    clip('b', 'two.wav', 2),
    clip('c', 'three.wav', null),
    clip('d', 'long.wav', 30, { start: 0, end: 3 }),
    clip('e', 'long.wav', 30, { start: 20, end: 23 }),
    utterance('toy/f', { media: null }),
    clip('g', 'four.wav', 9),
  ];

  it.each([1, 2, 3, 7, 20])('cuts into %i disjoint shares that cover everything', (of) => {
    const ids = Array.from({ length: of }, (_, i) =>
      shareOf(rows, { share: i + 1, of }).map(({ id }) => id),
    ).flat();
    expect(ids).toEqual(rows.map(({ id }) => id));
  });

  it('weighs by seconds and keeps the segments of a recording together', () => {
    const [first, second] = [1, 2].map((share) => shareOf(rows, { share, of: 2 }).map(({ id }) => id));
    expect(first).toEqual(['toy/a', 'toy/b', 'toy/c']);
    expect(second).toEqual(['toy/d', 'toy/e', 'toy/f', 'toy/g']);
  });
});
