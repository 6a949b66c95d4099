import { describe, expect, it } from 'vitest';
import { decodeHalf } from '@lsgmer/datasets';
import { poolFeatures } from '../../src/probe/pooled.ts';
import { MemorySource } from '../support/memory-source.ts';

const ids = ['demo/a', 'demo/b', 'demo/c'];

describe('poolFeatures', () => {
  it('averages over time and puts features side by side', async () => {
    const sources = [new MemorySource('frames', 3, ids, [2, 9]), new MemorySource('words', 2, ids, [1, 4])];
    const order = ['demo/c', 'demo/a'];
    const { rows, dim, values } = await poolFeatures(sources, order);
    expect([rows, dim]).toEqual([2, 5]);
    order.forEach((id, i) => {
      const expected = sources.flatMap((source) => {
        const halves = source.rows.get(id) as Uint16Array;
        const floats = new Float32Array(halves.length);
        decodeHalf(halves, floats);
        return Array.from({ length: source.dim }, (_, j) => {
          const column = [...floats].filter((_, k) => k % source.dim === j);
          return column.reduce((a, b) => a + b, 0) / column.length;
        });
      });
      expected.forEach((value, j) => expect(values[i * 5 + j]).toBeCloseTo(value, 12));
    });
  });

  it('does not go on with a feature that is not finite', async () => {
    const source = new MemorySource('frames', 2, ids, [3, 3]);
    (source.rows.get('demo/b') as Uint16Array)[3] = 0x7c00;
    await expect(poolFeatures([source], ids)).rejects.toThrow(
      'frames: the mean of demo/b is not finite (dimension 1)',
    );
  });
});
