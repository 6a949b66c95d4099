import { writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HeaderError } from '../../src/manifest/header-error.ts';
import { readMediaHeader } from '../../src/manifest/media-header.ts';
import { sharedData, temporaryFolder, wavBytes } from '../support.ts';

async function read(file: string) {
  const handle = await open(file);
  try {
    return await readMediaHeader(file, handle, (await handle.stat()).size);
  } finally {
    await handle.close();
  }
}
/** Reads bytes under a name. */
function readAs(name: string, bytes: string | Uint8Array) {
  const file = join(temporaryFolder(), name);
  writeFileSync(file, bytes);
  return read(file);
}

describe('readMediaHeader', () => {
  // rates, channels and lengths as ffmpeg 4 prints them for these files (Opus always decodes at 48 kHz)
  it.each([
    ['lhotse/big_buck_bunny_small.mp4', 5.31, 48000, 6],
    ['lhotse/common_voice_en_651325.mp3', 2.38, 48000, 1],
    ['lhotse/stereo.mp3', 1.15, 8000, 2],
    ['speech/test.mp3', 2.56, 44100, 2],
    ['lhotse/mix_cut_test_audio_storage_2412-153948-0000.flac', 11.66, 16000, 1],
    ['speech/1272-141231-0002.flac', 13.34, 16000, 1],
    ['lhotse/mono_c0.opus', 0.51, 48000, 1],
    ['lhotse/stereo.opus', 1.01, 48000, 2],
    ['speech/test.opus', 8.07, 48000, 1],
    ['lhotse/stereo.sph', 1, 8000, 2],
    ['lhotse/rir_real_8ch.wav', 0.1, 16000, 8],
    ['speech/1272-141231-0002.wav', 13.34, 16000, 1],
  ])('reads %s', async (path, seconds, sampleRate, channels) => {
    const file = sharedData(`audio_fixtures/${path}`);
    if (file === undefined) return;
    const header = await read(file);
    expect(header).toMatchObject({ sampleRate, channels });
    expect(Math.abs((header.seconds ?? NaN) - seconds)).toBeLessThan(0.011);
  });

  it('knows a SPHERE file that is called WAV, as corpora of the LDC are', async () => {
    const head = 'NIST_1A\n   1024\nsample_rate -i 8000\nsample_count -i 4000\nend_head\n'.padEnd(1024, ' ');
    expect(await readAs('a.wav', head)).toEqual({ seconds: 0.5, sampleRate: 8000, channels: 1 });
  });

  it('reads a WAV whose data lie behind more than one window', async () => {
    const wav = wavBytes(0.5);
    const list = Buffer.alloc(8 + 10_000);
    list.write('LIST', 0, 'latin1');
    list.writeUInt32LE(10_000, 4);
    const late = Buffer.concat([wav.subarray(0, 36), list, wav.subarray(36)]);
    late.writeUInt32LE(late.length - 8, 4);
    expect(await readAs('a.wav', late)).toEqual({ seconds: 0.5, sampleRate: 16000, channels: 1 });
  });

  it('leaves fields of other formats null, and says why', async () => {
    const nothing = { seconds: null, sampleRate: null, channels: null };
    expect(await readAs('a.avi', 'RIFF    AVI LIST')).toMatchObject({
      ...nothing,
      unread: expect.any(String),
    });
    expect(await readAs('a.xyz', 'words')).toEqual({ ...nothing, unread: 'a format of another kind' });
  });

  it('takes formats that it reads fully for damaged where they hold no sound', async () => {
    for (const name of ['a.mp3', 'a.flac', 'a.ogg', 'a.opus', 'a.mp4', 'a.m4a', 'a.wav']) {
      await expect(readAs(name, 'some words, which are no sound'), name).rejects.toThrow(HeaderError);
    }
  });
});
