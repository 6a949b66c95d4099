import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { byteSource, readWavHeader } from '../../src/manifest/wav-header.ts';
import { repositoryFile, sharedData, wavBytes } from '../support.ts';

const read = (bytes: Uint8Array) => readWavHeader(byteSource(bytes));

/** A RIFF file of the given chunks: name, declared size, bytes. */
function riff(chunks: readonly (readonly [string, number, Uint8Array])[]): Buffer {
  const parts = chunks.map(([name, size, data]) => {
    const head = Buffer.alloc(8);
    head.write(name, 0, 'latin1');
    head.writeUInt32LE(size, 4);
    return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
  });
  return Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE', 'latin1'), ...parts]);
}

function fmt(tag: number, channels: number, rate: number, bits: number, byteRate?: number): Buffer {
  const data = Buffer.alloc(16);
  const align = channels * Math.ceil(bits / 8) || 1;
  data.writeUInt16LE(tag, 0);
  data.writeUInt16LE(channels, 2);
  data.writeUInt32LE(rate, 4);
  data.writeUInt32LE(byteRate ?? align * rate, 8);
  data.writeUInt16LE(align, 12);
  data.writeUInt16LE(bits, 14);
  return data;
}
const PCM = fmt(1, 2, 16000, 16);

describe('readWavHeader', () => {
  it('reads a plain header', () => {
    expect(read(wavBytes(0.5))).toEqual({
      coding: 'pcm',
      formatTag: 1,
      channels: 1,
      sampleRate: 16000,
      bitsPerSample: 16,
      blockAlign: 2,
      bigEndian: false,
      dataOffset: 44,
      dataBytes: 16000,
      frames: 8000,
      truncated: false,
    });
  });

  it('skips other chunks, of odd length too, and reads the sub-format of an extensible header', () => {
    const extensible = Buffer.concat([fmt(0xfffe, 6, 48000, 24), Buffer.alloc(24)]);
    extensible.writeUInt16LE(3, 24);
    const file = riff([
      ['LIST', 5, Buffer.from('INFOx')],
      ['fmt ', 40, extensible],
      ['data', 36, Buffer.alloc(36)],
    ]);
    expect(read(file)).toMatchObject({
      coding: 'float',
      formatTag: 3,
      channels: 6,
      sampleRate: 48000,
      frames: 2,
    });
  });

  it('takes the frames of a compressed coding from the fact chunk, else from the byte rate', () => {
    const data = ['data', 500, Buffer.alloc(500)] as const;
    const fact = Buffer.alloc(4);
    fact.writeUInt32LE(777);
    expect(read(riff([['fmt ', 16, fmt(2, 1, 8000, 4, 4000)], ['fact', 4, fact], data]))).toMatchObject({
      coding: 'other',
      frames: 777,
    });
    expect(read(riff([['fmt ', 16, fmt(2, 1, 8000, 4, 4000)], data])).frames).toBe(1000);
  });

  it('counts what is there when the data chunk promises more', () => {
    expect(read(wavBytes(0.5).subarray(0, 44 + 1001))).toMatchObject({
      frames: 500,
      dataBytes: 1001,
      truncated: true,
    });
  });

  it('reads to the end where a pipe left the size open', () => {
    for (const open of [0, 0xffffffff, 0x7ffff000]) {
      const file = riff([
        ['fmt ', 16, PCM],
        ['data', open, Buffer.alloc(40)],
      ]);
      expect(read(file)).toMatchObject({ frames: 10, truncated: false });
    }
  });

  it('reads a header of no samples', () => {
    expect(read(wavBytes(0))).toMatchObject({ frames: 0, dataBytes: 0, truncated: false });
  });

  it('says what is wrong and where', () => {
    expect(() => read(Buffer.alloc(0))).toThrow('a file of 0 bytes');
    expect(() => read(Buffer.from('<html>not found'))).toThrow(
      "no RIFF/WAVE header (the file begins with '<html>not fo')",
    );
    expect(() => read(riff([['fmt ', 16, PCM]]))).toThrow('no data chunk before the end at byte 36');
    expect(() => read(riff([['LIST', 4000, Buffer.alloc(4)]]))).toThrow(
      'no fmt chunk before the end at byte 24',
    );
    expect(() => read(riff([['data', 4, Buffer.alloc(4)]]))).toThrow(
      'the data chunk at byte 12 comes before any fmt',
    );
    expect(() =>
      read(
        riff([
          ['fmt ', 4, Buffer.alloc(4)],
          ['data', 0, Buffer.alloc(0)],
        ]),
      ),
    ).toThrow('the fmt chunk at byte 12 has 4 bytes, expected 16 or more');
    expect(() =>
      read(
        riff([
          ['fmt ', 16, fmt(1, 0, 16000, 16)],
          ['data', 0, Buffer.alloc(0)],
        ]),
      ),
    ).toThrow('the fmt chunk at byte 12 says 0 channels, 16000 Hz, 1 bytes a block');
  });

  const fixtures = sharedData('audio_fixtures');
  it.skipIf(fixtures === undefined)('agrees with libsndfile on odd and damaged files', () => {
    const golden = JSON.parse(
      readFileSync(repositoryFile('test/golden/wav-header/headers.json'), 'utf8'),
    ) as Record<string, [number, number, number] | null>;
    /** libsndfile has no reader for these sample sizes; their frames are in their names. */
    const unusual = /_?3ch-5S-(36|45|53|64)bit/;
    for (const [name, expected] of Object.entries(golden)) {
      const bytes = readFileSync(join(fixtures ?? '', name));
      if (expected !== null) {
        const header = read(bytes);
        expect([header.frames, header.sampleRate, header.channels], name).toEqual(expected);
      } else if (unusual.test(name)) {
        expect(read(bytes), name).toMatchObject({ frames: 5, sampleRate: 8000, channels: 3 });
      } else {
        expect(() => read(bytes), name).toThrow();
      }
    }
  });
});
