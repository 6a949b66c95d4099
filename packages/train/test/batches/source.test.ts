import { describe, expect, it } from 'vitest';
import { featureDims, joinFeatures, roomFor } from '../../src/batches/source.ts';
import { MemorySource, utterances } from '../support/memory-source.ts';

const rows = utterances(5, 2);
const ids = rows.map((row) => row.id);

describe('joinFeatures', () => {
  it('keeps what has all features, with its lengths, and says why the rest has not', () => {
    const text = new MemorySource('words', 4, ids, [2, 2]);
    const audio = new MemorySource('frames', 3, ids, [5, 9], 0, 0.02);
    text.rows.delete(ids[1] as string);
    audio.rows.delete(ids[1] as string);
    audio.rows.delete(ids[3] as string);
    audio.reasons.set(ids[3] as string, '0 samples');
    text.rows.set(ids[4] as string, new Uint16Array(0));
    const joined = joinFeatures(rows, { text, audio });
    expect(joined.rows).toEqual([rows[0], rows[2]]);
    expect(joined.lengths).toEqual(
      [0, 2].map((i) => ({ text: 2, audio: audio.length(ids[i] as string), map: 0 })),
    );
    expect(joined.missing).toEqual([
      { id: ids[1], reason: 'no words, no frames' },
      { id: ids[3], reason: 'no frames (0 samples)' },
      { id: ids[4], reason: 'no words (0 steps)' },
    ]);
    expect(featureDims({ text, audio })).toEqual({ text: 4, audio: 3, map: 0 });
  });

  it('keeps what has one of two modalities where that is enough; audio and map are one', () => {
    const text = new MemorySource('words', 4, ids, [2, 2]);
    const audio = new MemorySource('frames', 3, ids, [5, 5], 0, 0.02);
    const map = new MemorySource('map', 14, ids, [3, 3], 0, 0.2);
    text.rows.delete(ids[0] as string);
    map.rows.delete(ids[1] as string);
    for (const source of [text, audio]) source.rows.delete(ids[2] as string);
    const sources = { text, audio, map };
    const joined = joinFeatures(rows, sources, true);
    expect(joined.rows.map(({ id }) => id)).toEqual([ids[0], ids[1], ids[3], ids[4]]);
    expect(joined.lengths.slice(0, 3)).toEqual([
      { text: 0, audio: 5, map: 3 },
      { text: 2, audio: 0, map: 0 },
      { text: 2, audio: 5, map: 3 },
    ]);
    expect(joined.masked.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect(joined.missing).toEqual([{ id: ids[2], reason: 'no words, no frames' }]);
    expect(roomFor(joined.lengths, { text, audio })[0]).toEqual({ text: 1, audio: 5, map: 0 });
  });
});
