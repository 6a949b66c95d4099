import { describe, expect, it } from 'vitest';
import type { Utterance } from '../../src/manifest/utterance.ts';
import { changedRecordings } from '../../src/manifest/validate-media.ts';

const row = (id: string, path: string | null, sha256: string | null): Utterance =>
  ({ id, media: path === null ? null : { path, sha256 } }) as unknown as Utterance;

describe('changedRecordings', () => {
  it('tells each recording once, where both sides have hashed it', () => {
    const manifest = [
      row('a', 'a.wav', '1'),
      row('b', 'b.wav', '2'),
      row('c', 'c.wav', null),
      row('d', null, null),
    ];
    const corpus = [
      row('a', 'a.wav', '1'),
      row('b', 'b.wav', 'x'),
      row('b2', 'b.wav', 'x'),
      row('c', 'c.wav', '3'),
      row('d', null, null),
      row('e', 'e.wav', '5'),
    ];
    expect(changedRecordings(manifest, corpus).map(({ id, file, level }) => [id, file, level])).toEqual([
      ['b', 'b.wav', 'error'],
    ]);
    expect(changedRecordings(manifest, [row('b', 'b.wav', null)])).toEqual([]);
    expect(changedRecordings([], corpus)).toEqual([]);
  });
});
