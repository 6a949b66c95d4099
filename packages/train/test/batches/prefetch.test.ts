import { describe, expect, it } from 'vitest';
import { Assembler } from '../../src/batches/assemble.ts';
import { prefetched, type Wanted } from '../../src/batches/prefetch.ts';
import { joinFeatures } from '../../src/batches/source.ts';
import { lsgmer } from '../../src/head/lsgmer.ts';
import { MemorySource, utterances } from '../support/memory-source.ts';

const rows = utterances(9, 3);
const ids = rows.map((row) => row.id);
const sources = {
  text: new MemorySource('text', 5, ids, [1, 7]),
  audio: new MemorySource('audio', 6, ids, [2, 30], 0.0125, 0.02),
};
const config = { d: 8, heads: 2, 'classifier.dropout': 0.25, 'audio.alexnet': 'none' };
const shape = { rows: 3, text: 7, audio: 30, map: 0 };

function assembler(): Assembler {
  return new Assembler(lsgmer, config, 3, joinFeatures(rows, sources), sources);
}

const wanted: Wanted[] = [[0, 4, 8], [1, 2, 3], [7, 6], [5]].map((items, step) => ({
  micro: { shape, items },
  place: { rows: items.length, firstRow: 0, dropout: { seed: 3, step } },
}));

/** All batches, copied while they are valid. */
async function collect(
  depth: number,
): Promise<{ ids: readonly string[]; feeds: Record<string, number[]> }[]> {
  const out = [];
  for await (const { batch } of prefetched(assembler(), wanted, depth)) {
    const feeds = Object.fromEntries(Object.entries(batch.feeds).map(([name, feed]) => [name, [...feed]]));
    out.push({ ids: batch.ids, feeds });
  }
  return out;
}

describe('prefetched', () => {
  it('gives the same batches in the same order at any depth', async () => {
    const plain = await collect(0);
    expect(plain.map((batch) => batch.ids)).toEqual(
      wanted.map(({ micro }) => micro.items.map((item) => ids[item])),
    );
    for (const depth of [1, 2, 10]) expect(await collect(depth), `depth ${depth}`).toEqual(plain);
  });

  it('assembles ahead of the batch in use, no further than its depth', async () => {
    const one = assembler();
    const asked: number[] = [];
    const assemble = one.assemble.bind(one);
    one.assemble = (micro, place) => {
      asked.push(wanted.findIndex((w) => w.micro === micro));
      return assemble(micro, place);
    };
    const batches = prefetched(one, wanted, 2);
    await batches.next();
    expect(asked).toEqual([0, 1, 2]);
    await batches.next();
    expect(asked).toEqual([0, 1, 2, 3]);
    await batches.return();
  });

  it('uses buffers again, also those of batches that nobody came for', async () => {
    const one = assembler();
    const first = prefetched(one, wanted, 1);
    const used = new Set<ArrayBufferLike>();
    for (let i = 0; i < 2; i++) {
      const next = await first.next();
      if (next.done !== true) used.add(next.value.batch.feeds['audio']?.buffer as ArrayBufferLike);
    }
    await first.return();
    expect(used.size).toBe(2);
    for await (const { batch } of prefetched(one, wanted, 1))
      expect(used).toContain(batch.feeds['audio']?.buffer);
  });

  it('fails at the batch that cannot be assembled, not before', async () => {
    const one = assembler();
    const broken = wanted.with(2, { ...(wanted[2] as Wanted), micro: { shape, items: [0, 1, 2, 3] } });
    const seen: number[] = [];
    const run = async (): Promise<void> => {
      for await (const { batch } of prefetched(one, broken, 3)) seen.push(batch.ids.length);
    };
    await expect(run()).rejects.toThrow('4 utterances for 3 rows');
    expect(seen).toEqual([3, 3]);
  });
});
