import { describe, expect, it } from 'vitest';
import { diffManifests } from '../../src/manifest/diff.ts';
import { row } from '../support.ts';

const media = { path: 'x.wav', sha256: 'a'.repeat(64), seconds: 1, sampleRate: 16000, channels: 1 };
const before = [
  row('d/a', { rawLabel: 'neu', media, tags: { style: 'x' } }),
  row('d/b', { rawLabel: 'neu', text: 'old' }),
  row('d/c', { rawLabel: 'ang' }),
  row('d/d', { rawLabel: 'sad', annotations: [{ annotator: 'one' }] }),
  row('d/gone'),
];
const after = [
  row('d/new'),
  row('d/d', { rawLabel: 'sad', annotations: [{ annotator: 'one' }] }),
  row('d/c', { rawLabel: 'neu' }),
  row('d/b', { rawLabel: 'ang', text: 'new' }),
  row('d/a', { rawLabel: 'neu', media: { ...media, seconds: 2 }, tags: { mood: 'y' } }),
];

describe('diffManifests', () => {
  it('finds rows added, removed and changed, by field', () => {
    expect(diffManifests(before, after)).toEqual({
      rows: { before: 5, after: 5 },
      added: ['d/new'],
      removed: ['d/gone'],
      changed: [
        {
          id: 'd/a',
          changes: [
            { field: 'media.seconds', before: 1, after: 2 },
            { field: 'tags.mood', before: null, after: 'y' },
            { field: 'tags.style', before: 'x', after: null },
          ],
        },
        {
          id: 'd/b',
          changes: [
            { field: 'rawLabel', before: 'neu', after: 'ang' },
            { field: 'text', before: 'old', after: 'new' },
          ],
        },
        { id: 'd/c', changes: [{ field: 'rawLabel', before: 'ang', after: 'neu' }] },
      ],
      fields: [
        { field: 'rawLabel', rows: 2 },
        { field: 'media.seconds', rows: 1 },
        { field: 'tags.mood', rows: 1 },
        { field: 'tags.style', rows: 1 },
        { field: 'text', rows: 1 },
      ],
      labels: [
        { before: 'ang', after: 'neu', rows: 1 },
        { before: 'neu', after: 'ang', rows: 1 },
      ],
      unchanged: 1,
    });
  });

  it('finds nothing between equals, in any order', () => {
    const found = diffManifests(before, [...before].reverse());
    expect(found).toMatchObject({
      added: [],
      removed: [],
      changed: [],
      fields: [],
      labels: [],
      unchanged: 5,
    });
  });

  it('finds media that were lost', () => {
    const [change] = diffManifests([row('d/a', { media })], [row('d/a', { media: null })]).changed;
    expect(change?.changes.map((one) => one.field)).toEqual([
      'media.channels',
      'media.path',
      'media.sampleRate',
      'media.seconds',
      'media.sha256',
    ]);
  });
});
