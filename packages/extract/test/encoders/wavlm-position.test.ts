import { describe, expect, it } from 'vitest';
import { distanceBucket } from '../../src/encoders/wavlm-position.ts';
import { golden } from '../support.ts';

describe('distanceBucket', () => {
  it("is Hugging Face's, past the farthest distance too", () => {
    const { buckets } = golden('encoders/wavlm.json') as {
      buckets: { count: number; farthest: number; bucketOf: number[] }[];
    };
    expect(buckets).toHaveLength(3);
    for (const { count, farthest, bucketOf } of buckets) {
      expect(bucketOf.map((_, distance) => distanceBucket(distance, count, farthest))).toEqual(bucketOf);
      // The graph's table ends at the farthest distance.
      expect(new Set(bucketOf.slice(farthest))).toEqual(new Set([count / 2 - 1]));
    }
  });
});
