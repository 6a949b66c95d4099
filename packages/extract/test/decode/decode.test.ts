import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '@lsgmer/datasets';
import { decodeClips } from '../../src/decode/decode.ts';
import { type Decoded, decodeTogether } from '../../src/decode/ffmpeg.ts';
import { requireFfmpeg, searchFfmpeg } from '../../src/decode/ffmpeg-binary.ts';
import { type ChannelPolicy, DEFAULT_DECODE_POLICY, type DecodePolicy } from '../../src/decode/policy.ts';
import { golden, largestError, sharedData } from '../support.ts';
import { pcm16, wavBytes } from './wav-bytes.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-decode-'));
afterAll(() => rmSync(folder, { recursive: true }));

const { found: ffmpeg, tried } = await searchFfmpeg();
if (ffmpeg === undefined) process.stderr.write(`skipped: no ffmpeg (${tried.join('; ')})\n`);
const fixtures = sharedData('audio_fixtures');

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const decode = (
  paths: readonly string[],
  policy: DecodePolicy = DEFAULT_DECODE_POLICY,
  clipsPerProcess = 24,
  sampleRate = 16_000,
): Promise<Decoded[]> =>
  decodeClips(
    paths.map((path) => ({ path })),
    { policy, sampleRate, ffmpeg: requireFfmpeg, processes: 2, clipsPerProcess },
  );

function samplesOf(decoded: Decoded | undefined): Float32Array {
  if (decoded === undefined || 'reason' in decoded) throw new Error(decoded?.reason ?? 'nothing decoded');
  return decoded.samples;
}

const tone = (count: number, step: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.round(8000 * Math.sin(i * step)));

describe('decodeClips', () => {
  it('asks for ffmpeg only when a clip needs it, and says which', async () => {
    const own = file('own.wav', wavBytes(pcm16([1, 2, 3]), { bits: 16 }));
    const other = file('other.wav', wavBytes(pcm16([1, 2, 3]), { bits: 16, rate: 8000 }));
    const missing = (why: string): Promise<never> => Promise.reject(new UserError(why));
    const options = { policy: DEFAULT_DECODE_POLICY, sampleRate: 16_000, ffmpeg: missing, processes: 1 };
    expect(samplesOf((await decodeClips([{ path: own }], options))[0])).toHaveLength(3);
    await expect(decodeClips([{ path: own }, { path: other }], options)).rejects.toThrow(
      `${other} is not 16 kHz PCM WAV`,
    );
  });

  it('stops when it is told to', async () => {
    const own = file('stop.wav', wavBytes(pcm16([1]), { bits: 16 }));
    const options = {
      policy: DEFAULT_DECODE_POLICY,
      sampleRate: 16_000,
      ffmpeg: requireFfmpeg,
      processes: 1,
      signal: AbortSignal.abort(),
    };
    await expect(decodeClips([{ path: own }], options)).rejects.toThrow(/abort/i);
  });
});

describe.skipIf(ffmpeg === undefined)('decodeClips with ffmpeg', () => {
  it('loses only the bad clip of a process, with its reason', async () => {
    const paths = [
      file('a.wav', wavBytes(pcm16(tone(2400, 0.1)), { bits: 16, rate: 24_000 })),
      file('garbage.mp3', Buffer.from('this is no sound at all, whatever its name says')),
      file('b.wav', wavBytes(pcm16(tone(3600, 0.05)), { bits: 16, rate: 24_000 })),
      join(folder, 'absent.mp4'),
      file('none.wav', wavBytes(Buffer.alloc(0), { bits: 16, rate: 24_000 })),
    ];
    const [a, garbage, b, absent, none] = await decode(paths);
    expect(samplesOf(a)).toHaveLength(1600);
    expect(samplesOf(b)).toHaveLength(2400);
    // The words are ffmpeg's own and differ between its versions.
    expect(garbage).toEqual({ reason: expect.stringMatching(/^ffmpeg: \S/) as unknown });
    expect(absent).toEqual({ reason: 'the file is missing' });
    expect(none).toEqual({ reason: 'a WAV of 0 samples' });
  });

  it('gives a clip the same samples alone and among others', async () => {
    const paths = Array.from({ length: 7 }, (_, i) =>
      file(`many${i}.wav`, wavBytes(pcm16(tone(5000 + 700 * i, 0.02 * (i + 1))), { bits: 16, rate: 22_050 })),
    );
    const together = await decode(paths);
    const byTwo = await decode(paths, DEFAULT_DECODE_POLICY, 2);
    for (const [i, path] of paths.entries()) {
      const alone = samplesOf((await decode([path]))[0]);
      expect(largestError(samplesOf(together[i]), alone)).toBe(0);
      expect(largestError(samplesOf(byTwo[i]), alone)).toBe(0);
    }
  });

  it('reads 16 kHz WAVs as our own reader does, mono and stereo', async () => {
    for (const channels of [1, 2]) {
      const path = file(`twice${channels}.wav`, wavBytes(pcm16(tone(4000, 0.3)), { bits: 16, channels }));
      const ours = samplesOf((await decode([path]))[0]);
      const theirs = await decodeTogether(ffmpeg?.path as string, [{ path }], {
        ...DEFAULT_DECODE_POLICY,
        sampleRate: 16_000,
      });
      expect(largestError(ours, samplesOf(theirs[0]))).toBeLessThan(1e-6);
    }
  });

  it('brings a sound to any rate as soxr does, and leaves one alone that has it', async () => {
    const { source, seconds, tones, from, to, rates } = golden('decode/rates.json') as {
      source: number;
      seconds: number;
      tones: [hertz: number, amplitude: number][];
      from: number;
      to: number;
      rates: { [rate: string]: number[] };
    };
    const values = Array.from({ length: Math.round(source * seconds) }, (_, i) =>
      Math.round(
        2 ** 15 *
          tones.reduce((sum, [hertz, a]) => sum + a * Math.sin((2 * Math.PI * hertz * i) / source), 0),
      ),
    );
    const path = file('tones.wav', wavBytes(pcm16(values), { bits: 16, rate: source }));
    for (const rate of [8000, 16_000, 24_000, 44_100, 48_000]) {
      const samples = samplesOf((await decode([path], DEFAULT_DECODE_POLICY, 24, rate))[0]);
      expect(samples.length).toBeCloseTo(rate * seconds, -1);
      const kept = samples.subarray(Math.round(from * rate), Math.round(to * rate));
      expect(largestError(kept, rates[rate] as number[]), `${rate} Hz`).toBeLessThan(1e-4);
    }
    const own = samplesOf((await decode([path], DEFAULT_DECODE_POLICY, 24, source))[0]);
    expect(
      largestError(
        own,
        values.map((value) => value / 2 ** 15),
      ),
    ).toBe(0);
  });

  it('cuts long clips', async () => {
    const path = file('long.wav', wavBytes(pcm16(tone(48_000 * 3, 0.01)), { bits: 16, rate: 48_000 }));
    expect(samplesOf((await decode([path]))[0])).toHaveLength(48_000);
    const truncate = { ...DEFAULT_DECODE_POLICY, length: { maxSeconds: 2, over: 'truncate' } } as const;
    expect(samplesOf((await decode([path], truncate))[0])).toHaveLength(32_000);
    const skip = { ...DEFAULT_DECODE_POLICY, length: { maxSeconds: 2, over: 'skip' } } as const;
    expect(await decode([path], skip)).toEqual([
      { reason: 'longer than 2 s, which the length policy skips' },
    ]);
  });
});

describe.skipIf(ffmpeg === undefined || fixtures === undefined)('decodeClips on the shared fixtures', () => {
  it.each(['common_voice', 'librivox'])('equals the reference decode of %s', async (name) => {
    const at = join(fixtures as string, 'golden_decode', name);
    const names = readdirSync(at);
    const expected = readFileSync(join(at, names.find((entry) => entry.endsWith('.bin')) as string));
    const source = names.find((entry) => /\.(wav|mp3)$/.test(entry)) as string;
    const whole = { ...DEFAULT_DECODE_POLICY, length: { maxSeconds: 100, over: 'truncate' } } as const;
    const samples = samplesOf((await decode([join(at, source)], whole))[0]);
    const reference = new Float32Array(new Uint8Array(expected).buffer);
    expect(largestError(samples, reference)).toBeLessThan(1e-5);
  });

  it.each([16_000, 44_100])(
    'takes every file as strict ffmpeg does, at %i Hz: the same samples, or a reason where it fails or finds none',
    async (rate) => {
      const names = (readdirSync(fixtures as string, { recursive: true }) as string[])
        .filter((name) => /\.(wav|mp3|flac|opus|sph|mp4)$/.test(name))
        .sort();
      expect(names.length).toBeGreaterThan(40);
      const results = await decode(
        names.map((name) => join(fixtures as string, name)),
        DEFAULT_DECODE_POLICY,
        24,
        rate,
      );
      for (const [i, name] of names.entries()) {
        const output = [
          '-map',
          '0:a:0',
          '-t',
          '35',
          '-ar',
          String(rate),
          '-ac',
          '1',
          '-rematrix_maxval',
          '1',
          '-f',
          'f32le',
        ];
        const { status, stdout } = spawnSync(
          ffmpeg?.path as string,
          ['-nostdin', '-v', 'error', '-xerror', '-i', join(fixtures as string, name), ...output, '-'],
          { maxBuffer: 1 << 28 },
        );
        const strict = status === 0 ? new Float32Array(new Uint8Array(stdout).buffer) : new Float32Array(0);
        const result = results[i] as Decoded;
        if (strict.length === 0)
          expect(result, name).toEqual({ reason: expect.stringMatching(/\S/) as unknown });
        else expect(largestError(samplesOf(result), strict), name).toBeLessThan(1e-5);
      }
    },
  );

  it('takes three different waveforms from a 5.1 clip by the channel policy', async () => {
    const path = join(fixtures as string, 'lhotse/big_buck_bunny_small.mp4');
    const by = async (channels: ChannelPolicy): Promise<Float32Array> =>
      samplesOf((await decode([path], { ...DEFAULT_DECODE_POLICY, channels }))[0]);
    const [downmix, center, mean] = [await by('downmix'), await by('center'), await by('mean')];
    expect(downmix.length).toBe(center.length);
    expect(downmix.length).toBe(mean.length);
    expect(largestError(downmix, center)).toBeGreaterThan(0.01);
    expect(largestError(mean, center)).toBeGreaterThan(0.01);
    expect(largestError(mean, downmix)).toBeGreaterThan(0.01);
    // ffmpeg's own way to take one channel
    const pan = [
      '-nostdin',
      '-v',
      'error',
      '-i',
      path,
      '-map',
      '0:a:0',
      '-af',
      'pan=mono|c0=FC',
      '-ar',
      '16000',
      '-f',
      'f32le',
      '-',
    ];
    const bytes = execFileSync(ffmpeg?.path as string, pan, { maxBuffer: 1 << 28 });
    const front = new Float32Array(new Uint8Array(bytes).buffer).subarray(0, center.length);
    expect(largestError(center, front)).toBeLessThan(1e-5);
  });

  it('quarantines a damaged mp4 instead of taking the part that is left', async () => {
    const bytes = readFileSync(join(fixtures as string, 'lhotse/big_buck_bunny_small.mp4'));
    for (let at = Math.floor(bytes.length * 0.3); at < bytes.length * 0.6; at += 97)
      bytes[at] = (bytes[at] as number) ^ 0x55;
    const [whole, damaged] = await decode([
      join(fixtures as string, 'lhotse/big_buck_bunny_small.mp4'),
      file('flipped.mp4', bytes),
    ]);
    expect(samplesOf(whole).length).toBeGreaterThan(80_000);
    expect(damaged).toEqual({ reason: expect.stringMatching(/^ffmpeg: \S/) as unknown });
  });

  it('decodes or quarantines every odd and damaged WAV, and none ends the run', async () => {
    const at = join(fixtures as string, 'scipy');
    const names = readdirSync(at).sort();
    const results = await decode(names.map((name) => join(at, name)));
    const outcome: Record<string, number | string> = {};
    names.forEach((name, i) => {
      const result = results[i] as Decoded;
      outcome[name.replaceAll(/^test-|\.wav$/g, '')] =
        'reason' in result ? result.reason : result.samples.length;
    });
    // What is left to ffmpeg depends on its version, what our reader judges does not.
    expect(Object.values(outcome).every((value) => value !== 0 && value !== '')).toBe(true);
    expect(outcome).toMatchObject({
      '44100Hz-le-1ch-4bytes': 1600,
      '44100Hz-2ch-32bit-float-le': 160,
      '8000Hz-le-2ch-1byteu': 1600,
      '44100Hz-le-1ch-4bytes-early-eof': expect.stringContaining(
        'the file ends early: 236 samples',
      ) as unknown,
      '44100Hz-le-1ch-4bytes-early-eof-no-data': expect.stringContaining('no data chunk') as unknown,
      '44100Hz-le-1ch-4bytes-incomplete-chunk': expect.stringContaining('a damaged WAV') as unknown,
    });
  });
});
