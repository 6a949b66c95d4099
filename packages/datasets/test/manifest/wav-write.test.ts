import { expect, it } from 'vitest';
import { byteSource, readWavHeader } from '../../src/manifest/wav-header.ts';
import { encodeWav } from '../../src/manifest/wav-write.ts';

it('writes 16-bit PCM, rounded and clipped', () => {
  const bytes = encodeWav(Float32Array.of(0, 1, -1, 0.5, -0.25, 3, -3), 16000);
  expect(bytes.subarray(0, 44).toString('hex')).toBe(
    '524946463200000057415645666d74201000000001000100803e0000007d00000200100064617461' +
      Buffer.of(14, 0, 0, 0).toString('hex'),
  );
  const samples = Array.from({ length: 7 }, (_, i) => bytes.readInt16LE(44 + 2 * i));
  expect(samples).toEqual([0, 32767, -32767, 16384, -8192, 32767, -32767]);
  expect(readWavHeader(byteSource(bytes))).toMatchObject({ frames: 7, sampleRate: 16000, channels: 1 });
});
