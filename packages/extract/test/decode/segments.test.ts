import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeClips } from '../../src/decode/decode.ts';
import { type Decoded, decodeTogether } from '../../src/decode/ffmpeg.ts';
import { requireFfmpeg, searchFfmpeg } from '../../src/decode/ffmpeg-binary.ts';
import { pickChannel } from '../../src/decode/mix.ts';
import { type ChannelPolicy, type Clip, DEFAULT_DECODE_POLICY } from '../../src/decode/policy.ts';
import { decodeSegments } from '../../src/decode/segments.ts';
import { largestError, sharedData } from '../support.ts';
import { pcm16, wavBytes } from './wav-bytes.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-segments-'));
afterAll(() => rmSync(folder, { recursive: true }));

const { found: ffmpeg, tried } = await searchFfmpeg();
if (ffmpeg === undefined) process.stderr.write(`skipped: no ffmpeg (${tried.join('; ')})\n`);
const fixtures = sharedData('audio_fixtures/lhotse');
const binary = ffmpeg?.path as string;

function samplesOf(decoded: Decoded | undefined): Float32Array {
  if (decoded === undefined || 'reason' in decoded) throw new Error(decoded?.reason ?? 'nothing decoded');
  return decoded.samples;
}

/** The whole recording as ffmpeg decodes it in one go, whatever its length. */
async function whole(
  path: string,
  channels: ChannelPolicy = 'downmix',
  sampleRate = 16_000,
): Promise<Float32Array> {
  const decoding = { sampleRate, channels, length: { maxSeconds: 1000, over: 'truncate' } } as const;
  return samplesOf((await decodeTogether(binary, [{ path }], decoding))[0]);
}

/** Noise: no two places of it are alike. */
function noise(count: number): number[] {
  let state = 1;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    return (state >> 17) | 0;
  });
}

/** Largest difference between segments and slices of the whole. */
async function worst(
  path: string,
  bounds: readonly (readonly [number, number])[],
  channels: ChannelPolicy = 'downmix',
  sampleRate = 16_000,
): Promise<number> {
  const all = await whole(path, channels, sampleRate);
  const clips = bounds.map(([start, end]) => ({ path, start, end }));
  const parts = await decodeSegments(binary, clips, { ...DEFAULT_DECODE_POLICY, sampleRate, channels });
  const errors = bounds.map(([start, end], i) =>
    largestError(
      samplesOf(parts[i]),
      all.subarray(Math.round(start * sampleRate), Math.min(all.length, Math.round(end * sampleRate))),
    ),
  );
  return Math.max(...errors);
}

describe.skipIf(ffmpeg === undefined)('decodeSegments', () => {
  it.each([8000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000])(
    'gives slices of the whole recording, at %i Hz, near and far, in any order',
    async (rate) => {
      const path = join(folder, `noise${rate}.wav`);
      writeFileSync(path, wavBytes(pcm16(noise(rate * 60)), { bits: 16, rate }));
      const bounds = [
        [50.123_456, 52.5],
        [0, 0.5],
        [0.25, 1.75],
        [3.000_01, 3.1],
        [45.5, 50.2],
        [59.5, 61],
      ] as const;
      for (const wanted of [16_000, 44_100]) expect(await worst(path, bounds, 'downmix', wanted)).toBe(0);
    },
  );

  it('takes a channel of several, and says where there is none', async () => {
    const stereo = noise(24_000 * 4).map((value, i) => (i % 2 === 0 ? value : -value >> 1));
    for (const rate of [16_000, 24_000]) {
      const path = join(folder, `stereo${rate}.wav`);
      writeFileSync(path, wavBytes(pcm16(stereo), { bits: 16, channels: 2, rate }));
      const options = {
        policy: DEFAULT_DECODE_POLICY,
        sampleRate: 16_000,
        ffmpeg: requireFfmpeg,
        processes: 1,
      };
      const clips: Clip[] = [
        { path, channel: 0, start: 0.5, end: 1 },
        { path, channel: 1 },
        { path, start: 0.5, end: 1 },
        { path, channel: 2 },
      ];
      const [left, right, both, none] = await decodeClips(clips, options);
      const second = samplesOf(right).subarray(8000, 16_000);
      const mean = samplesOf(left).map((value, i) => (value + (second[i] as number)) / 2);
      expect(samplesOf(left)).toHaveLength(8000);
      // resampling is linear, so that mixing before it and after it differ by rounding alone
      expect(largestError(samplesOf(both), mean)).toBeLessThan(2e-6);
      expect(largestError(samplesOf(left), second)).toBeGreaterThan(0.1);
      expect(none).toEqual({ reason: 'no channel 2: the recording has 2' });
    }
  });

  it('loses only segments that are not there, and those behind damage', async () => {
    const path = join(folder, 'short.wav');
    writeFileSync(path, wavBytes(pcm16(noise(24_000 * 2)), { bits: 16, rate: 24_000 }));
    const at = (start: number, end: number): Clip => ({ path, start, end });
    const [good, late, odd] = await decodeSegments(binary, [at(0.5, 1), at(2, 3), at(1, 1.000_01)], {
      ...DEFAULT_DECODE_POLICY,
      sampleRate: 16_000,
    });
    expect(samplesOf(good)).toHaveLength(8000);
    expect(late).toEqual({ reason: 'the segment 2 to 3 s holds no samples: the recording has 2 s' });
    expect(odd).toEqual({ reason: 'the segment 1 to 1.00001 s holds no samples' });
    const [gone] = await decodeSegments(binary, [{ path: join(folder, 'gone.mp3'), start: 1, end: 2 }], {
      ...DEFAULT_DECODE_POLICY,
      sampleRate: 16_000,
    });
    expect(gone).toEqual({ reason: expect.stringMatching(/^ffmpeg: \S/) as unknown });
  });

  it('keeps the length policy', async () => {
    const path = join(folder, 'policy.wav');
    writeFileSync(path, wavBytes(pcm16(noise(24_000 * 4)), { bits: 16, rate: 24_000 }));
    const clips = [
      { path, start: 1 },
      { path, start: 1, end: 2 },
    ];
    const by = (over: 'truncate' | 'skip') =>
      decodeSegments(binary, clips, {
        sampleRate: 16_000,
        channels: 'downmix',
        length: { maxSeconds: 2, over },
      });
    expect((await by('truncate')).map((one) => samplesOf(one).length)).toEqual([32_000, 16_000]);
    const [long, short] = await by('skip');
    expect(long).toEqual({ reason: 'longer than 2 s, which the length policy skips' });
    expect(samplesOf(short)).toHaveLength(16_000);
  });

  it('stops when it is told to', async () => {
    const path = join(folder, 'policy.wav');
    const clips = [{ path, start: 1, end: 2 }];
    const stopped = decodeSegments(
      binary,
      clips,
      { ...DEFAULT_DECODE_POLICY, sampleRate: 16_000 },
      AbortSignal.abort(),
    );
    await expect(stopped).rejects.toThrow(/abort/i);
  });
});

describe.skipIf(ffmpeg === undefined || fixtures === undefined)(
  'decodeSegments on the shared fixtures',
  () => {
    it.each([
      'common_voice_en_651325.mp3',
      'mix_cut_test_audio_storage_2412-153948-0000.flac',
      'mono_c0.opus',
      'stereo.mp3',
      'stereo.sph',
      'ami_ES2011a.Headset-0-40s-46s.wav',
    ])('gives slices of %s', async (name) => {
      const path = join(fixtures as string, name);
      const seconds = (await whole(path)).length / 16_000;
      const bounds = [
        [0.51, 0.6],
        [0.1, 0.155],
        [0.8, 0.957],
      ].map(([from = 0, to = 0]) => [seconds * from, seconds * to] as const);
      expect(await worst(path, bounds)).toBe(0);
    });

    it.each(['downmix', 'center', 'mean'] as const)(
      'gives slices of a 5.1 clip, policy %s',
      async (channels) => {
        const path = join(fixtures as string, 'big_buck_bunny_small.mp4');
        const bounds = [
          [2, 3.5],
          [0, 1],
        ] as const;
        expect(await worst(path, bounds, channels)).toBe(0);
      },
    );

    it('takes each channel of a 5.1 clip: the third is the centre', async () => {
      const path = join(fixtures as string, 'big_buck_bunny_small.mp4');
      const clips = [0, 1, 2, 3, 4, 5].map((channel) => ({ path, channel, end: 3 }));
      const parts = (
        await decodeSegments(binary, clips, { ...DEFAULT_DECODE_POLICY, sampleRate: 16_000 })
      ).map(samplesOf);
      const centre = (await whole(path, 'center')).subarray(0, 48_000);
      expect(parts.map((one) => one.length)).toEqual([48_000, 48_000, 48_000, 48_000, 48_000, 48_000]);
      expect(parts.map((one) => largestError(one, centre) === 0)).toEqual([
        false,
        false,
        true,
        false,
        false,
        false,
      ]);
    });
  },
);

describe('pickChannel', () => {
  it('takes one of interleaved channels', () => {
    expect([...pickChannel(Float32Array.of(1, 2, 3, 4, 5, 6), 3, 1)]).toEqual([2, 5]);
    expect([...pickChannel(Float32Array.of(1, 2), 1, 0)]).toEqual([1, 2]);
    expect(() => pickChannel(Float32Array.of(1, 2), 2, 2)).toThrow('no channel 2: the recording has 2');
  });
});
