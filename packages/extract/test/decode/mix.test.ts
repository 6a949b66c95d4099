import { describe, expect, it } from 'vitest';
import { mixToMono } from '../../src/decode/mix.ts';

const SIX = Float32Array.of(1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60);
/** Left, right, centre, LFE, back left, back right. */
const MASK_5_1 = 0x3f;

describe('mixToMono', () => {
  it('takes the centre by its place in the mask', () => {
    expect([...(mixToMono(SIX, 6, 'center', MASK_5_1) ?? [])]).toEqual([3, 30]);
    // centre first, where no left and right come before it
    expect([...(mixToMono(Float32Array.of(7, 1, 8, 2), 2, 'center', 0x4 | 0x8) ?? [])]).toEqual([7, 8]);
  });

  it('takes the mean where there is no centre', () => {
    expect([...(mixToMono(Float32Array.of(1, 3, 5, 9), 2, 'center', 0x3) ?? [])]).toEqual([2, 7]);
    expect([...(mixToMono(SIX, 6, 'mean', MASK_5_1) ?? [])]).toEqual([3.5, 35]);
  });

  it('leaves one channel as it is and a downmix of six to ffmpeg', () => {
    expect(mixToMono(SIX, 1, 'center')).toBe(SIX);
    expect(mixToMono(SIX, 6, 'downmix', MASK_5_1)).toBeUndefined();
  });
});
