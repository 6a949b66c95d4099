import { describe, expect, it } from 'vitest';
import type { Card } from '@lsgmer/datasets';
import { withKnown } from '../../src/run/known-quarantine.ts';
import { utterance } from './corpus.ts';

const card = {
  defects: [
    { kind: 'media-missing', ids: ['toy/a'], count: 1, policy: 'keep', source: 'x', note: 'x' },
    { kind: 'media-undecodable', files: ['clips/*'], count: 1, policy: 'keep', source: 'x', note: 'x' },
    { kind: 'too-long', ids: ['toy/e'], count: 1, policy: 'keep', source: 'x', note: 'x' },
  ],
} as unknown as Card;
const media = { sha256: null, seconds: null, sampleRate: null, channels: null };
const rows = ['a', 'b', 'c', 'd', 'e'].map((name) =>
  utterance(`toy/${name}`, { media: { ...media, path: `clips/${name}.mp4` } }),
);

describe('withKnown', () => {
  it('knows what the card lists, as often as it counts, and nothing else', () => {
    const known = withKnown(
      [
        { id: 'toy/a', reason: 'no media (missing)' },
        { id: 'toy/b', reason: 'ffmpeg: moov atom not found' },
        { id: 'toy/c', reason: 'ffmpeg: Invalid data found when processing input' },
        { id: 'toy/d', reason: 'the file is missing' },
        { id: 'toy/e', reason: 'longer than 35 s, which the length policy skips' },
      ],
      rows,
      card,
    );
    expect(known.map((row) => [row.id, row.known])).toEqual([
      ['toy/a', true],
      ['toy/b', true],
      ['toy/c', false],
      ['toy/d', false],
      ['toy/e', true],
    ]);
  });

  it('takes a known row of another kind of trouble as unexpected', () => {
    expect(withKnown([{ id: 'toy/a', reason: 'a WAV of 0 samples' }], rows, card)).toEqual([
      { id: 'toy/a', reason: 'a WAV of 0 samples', known: false },
    ]);
  });
});
