import { describe, expect, it } from 'vitest';
import { batchMemory, batchValues, fitsBatch } from '../../src/store/batch-memory.ts';

describe('batchMemory', () => {
  it.each([0, 1, 4096, 3 << 20, 40 << 20])('%i bytes fit, at a place of their own', (bytes) => {
    const memory = batchMemory(bytes);
    expect(fitsBatch(memory, bytes)).toBe(true);
    const values = batchValues(memory, 'float16', bytes >> 1);
    expect(values).toHaveLength(bytes >> 1);
    // 16 bytes after a page and 48 more: a multiple of 64.
    expect((values.byteOffset + 16) % 64).toBe(0);
  });

  it('is mapped on its own from a mebibyte on, and no larger than it must be below', () => {
    expect(batchMemory(1 << 20).byteLength).toBeGreaterThan(32 << 20);
    expect(batchMemory(1000).byteLength).toBe(1048);
  });
});

describe('batchValues', () => {
  it('are bits of float16, or float32, over the same bytes', () => {
    const memory = batchMemory(16);
    const floats = batchValues(memory, 'float32', 4);
    floats.set([1, -2, 0, 0.5]);
    expect(floats).toBeInstanceOf(Float32Array);
    expect([...batchValues(memory, 'float16', 8)]).toEqual([0, 0x3f80, 0, 0xc000, 0, 0, 0, 0x3f00]);
  });

  it('refuse more than fits', () => {
    expect(() => batchValues(batchMemory(16), 'float32', 5)).toThrow(
      '5 values of float32 do not fit a batch of 64 bytes',
    );
    expect(fitsBatch(batchMemory(16), 17)).toBe(false);
  });
});
