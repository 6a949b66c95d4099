import { describe, expect, it } from 'vitest';
import { missingIn } from '../../src/probe/join.ts';
import { MemorySource, utterances } from '../support/memory-source.ts';

describe('missingIn', () => {
  it('names every feature that an utterance lacks, and why', () => {
    const rows = utterances(3, 2);
    const ids = rows.map(({ id }) => id);
    const a = new MemorySource('a', 2, ids, [1, 2]);
    const b = new MemorySource('b', 2, ids, [1, 2]);
    a.rows.delete(ids[1] as string);
    b.rows.delete(ids[1] as string);
    b.reasons.set(ids[1] as string, 'corrupt');
    a.rows.set(ids[2] as string, new Uint16Array(0));
    expect(missingIn(rows, [a, b])).toEqual([
      { id: ids[1], reason: 'no a, no b (corrupt)' },
      { id: ids[2], reason: 'no a (0 steps)' },
    ]);
  });
});
