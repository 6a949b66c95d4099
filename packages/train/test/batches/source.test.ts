import { describe, expect, it } from 'vitest';
import { featureDims, joinFeatures } from '../../src/batches/source.ts';
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
});
