import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DEFAULT_DECODE_POLICY, type Clip, type Decoding } from '../../src/decode/policy.ts';
import { readWav } from '../../src/decode/wav.ts';
import { pcm16, wavBytes } from './wav-bytes.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-wav-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function read(
  bytes: Uint8Array,
  clip: Partial<Clip> = {},
  policy: Partial<Decoding> = {},
): Promise<Float32Array | undefined> {
  const path = join(folder, `${files++}.wav`);
  writeFileSync(path, bytes);
  return readWav({ path, ...clip }, { ...DEFAULT_DECODE_POLICY, sampleRate: 16_000, ...policy });
}
const list = async (found: Promise<Float32Array | undefined>): Promise<number[]> => [
  ...((await found) ?? []),
];

describe('readWav', () => {
  it('reads 8, 16, 24 and 32 bit integers and 32 bit floats, full scale being 1', async () => {
    expect(await list(read(wavBytes(Uint8Array.of(128, 0, 255, 192), { bits: 8 })))).toEqual([
      0,
      -1,
      127 / 128,
      0.5,
    ]);
    expect(await list(read(wavBytes(pcm16([0, -32768, 16384, 1]), { bits: 16 })))).toEqual([
      0,
      -1,
      0.5,
      2 ** -15,
    ]);
    const three = Buffer.from([0, 0, 0x40, 0, 0, 0x80, 1, 0, 0, 0xff, 0xff, 0xff]);
    expect(await list(read(wavBytes(three, { bits: 24 })))).toEqual([0.5, -1, 2 ** -23, -(2 ** -23)]);
    const four = new Uint8Array(Int32Array.of(2 ** 30, -(2 ** 31), 256).buffer);
    expect(await list(read(wavBytes(four, { bits: 32 })))).toEqual([0.5, -1, 2 ** -23]);
    const floats = new Uint8Array(Float32Array.of(0.25, -1.5).buffer);
    expect(await list(read(wavBytes(floats, { bits: 32, tag: 3 })))).toEqual([0.25, -1.5]);
  });

  it('reads extensible headers and steps over other chunks', async () => {
    const extra = { name: 'LIST', bytes: Buffer.from('odd') };
    const bytes = wavBytes(pcm16([8192, -8192]), { bits: 16, extensible: true, extra });
    expect(await list(read(bytes))).toEqual([0.25, -0.25]);
  });

  it('mixes two channels, and leaves a centre or a downmix of more to ffmpeg', async () => {
    const stereo = wavBytes(pcm16([16384, 8192, 0, -16384]), { bits: 16, channels: 2 });
    expect(await list(read(stereo))).toEqual([0.375, -0.25]);
    expect(await list(read(stereo, {}, { channels: 'mean' }))).toEqual([0.375, -0.25]);
    const four = wavBytes(pcm16([4096, 8192, 0, 4096]), { bits: 16, channels: 4 });
    expect(await list(read(four, {}, { channels: 'mean' }))).toEqual([0.125]);
    expect(await read(four)).toBeUndefined();
    expect(await read(four, {}, { channels: 'center' })).toBeUndefined();
  });

  it('leaves other rates, codings and files to ffmpeg', async () => {
    expect(await read(wavBytes(pcm16([1]), { bits: 16, rate: 24_000 }))).toBeUndefined();
    expect(await read(wavBytes(Buffer.from([1, 2]), { bits: 8, tag: 7 }))).toBeUndefined();
    expect(await read(wavBytes(Buffer.alloc(16), { bits: 64, tag: 3 }))).toBeUndefined();
    expect(await read(Buffer.from('OggS....'))).toBeUndefined();
  });

  it('cuts segments at their samples', async () => {
    const bytes = wavBytes(pcm16(Array.from({ length: 100 }, (_, i) => i)), { bits: 16 });
    const found = await list(read(bytes, { start: 10 / 16_000, end: 13 / 16_000 }));
    expect(found.map((value) => value * 32768)).toEqual([10, 11, 12]);
    expect(await list(read(bytes, { start: 98 / 16_000, end: 1 }))).toHaveLength(2);
    await expect(read(bytes, { start: 1, end: 2 })).rejects.toThrow(
      'the segment 1 to 2 s holds no samples: the recording has 0.00625 s',
    );
  });

  it('keeps the beginning of a long clip, or skips it, as the policy says', async () => {
    const bytes = wavBytes(pcm16(Array.from({ length: 48_000 }, () => 7)), { bits: 16 });
    expect(await list(read(bytes, {}, { length: { maxSeconds: 2, over: 'truncate' } }))).toHaveLength(32_000);
    await expect(read(bytes, {}, { length: { maxSeconds: 2, over: 'skip' } })).rejects.toThrow(
      'longer than 2 s',
    );
    expect(await list(read(bytes, {}, { length: { maxSeconds: 3, over: 'skip' } }))).toHaveLength(48_000);
  });

  it('reads on to the end of the file where a streaming writer left the size open', async () => {
    expect(await list(read(wavBytes(pcm16([1, 2, 3]), { bits: 16, promised: 0xffffffff })))).toHaveLength(3);
  });

  it.each([
    ['no samples', wavBytes(Buffer.alloc(0), { bits: 16 }), 'a WAV of 0 samples'],
    ['an empty file', Buffer.alloc(0), 'a file of 0 bytes'],
    [
      'a file that ends early',
      wavBytes(pcm16([1, 2, 3]), { bits: 16, promised: 600 }),
      'the file ends early: 3 samples are there',
    ],
    [
      'no data chunk',
      wavBytes(pcm16([1]), { bits: 16 }).subarray(0, 36),
      'a damaged WAV: no data chunk before the end',
    ],
    ['a header cut short', Buffer.from('RIFF\0\0\0\0WAVEfmt '), 'a damaged WAV'],
    ['0 channels', wavBytes(pcm16([1]), { bits: 16, channels: 0 }), 'a damaged WAV: the fmt chunk'],
    [
      'a sample that is no number',
      wavBytes(new Uint8Array(Float32Array.of(0, NaN).buffer), { bits: 32, tag: 3 }),
      'sample 1 is NaN',
    ],
  ])('quarantines %s', async (_, bytes, reason) => {
    await expect(read(bytes)).rejects.toMatchObject({ name: 'ClipError' });
    await expect(read(bytes)).rejects.toThrow(reason);
  });

  it('quarantines what is missing or no file', async () => {
    await expect(
      readWav({ path: join(folder, 'nowhere.wav') }, { ...DEFAULT_DECODE_POLICY, sampleRate: 16_000 }),
    ).rejects.toThrow('the file is missing');
    await expect(readWav({ path: folder }, { ...DEFAULT_DECODE_POLICY, sampleRate: 16_000 })).rejects.toThrow(
      'not a file',
    );
  });
});
