import { describe, expect, it } from 'vitest';
import { splitBatch } from '../../src/features/form.ts';

describe('splitBatch', () => {
  it('cuts [B, n, dim] into rows of their own memory', () => {
    const values = Float32Array.from({ length: 12 }, (_, i) => i);
    const [first, second] = splitBatch(values, 2, 3);
    expect(first).toEqual({ n: 2, values: Float32Array.of(0, 1, 2, 3, 4, 5) });
    expect(second).toEqual({ n: 2, values: Float32Array.of(6, 7, 8, 9, 10, 11) });
    expect(second?.values.buffer.byteLength).toBe(24);
  });
});
