import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HeaderError } from '../../src/manifest/header-error.ts';
import { readMp4Header } from '../../src/manifest/mp4-header.ts';
import { byteSource } from '../../src/manifest/wav-header.ts';
import { box, clip, findFfmpeg, type ClipKind } from '../support/clips.ts';
import { sharedData } from '../support.ts';

const read = (bytes: Uint8Array) => {
  const source = byteSource(bytes);
  return readMp4Header({
    size: source.size,
    read: (offset, length) => Promise.resolve(source.read(offset, length)),
  });
};
const trouble = async (bytes: Uint8Array): Promise<string> => {
  const error: unknown = await read(bytes).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(HeaderError);
  return (error as Error).message;
};
const numbers = (...values: number[]) => {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => bytes.writeUInt32BE(value >>> 0, 4 * i));
  return bytes;
};

const ftyp = box('ftyp', Buffer.from('isom'), numbers(512));
const handler = (kind: string) => box('hdlr', numbers(0, 0), Buffer.from(kind), numbers(0, 0, 0));

/** A track whose header says so many ticks at 48 kHz. */
function track(kind: string, ticks: number, entry: Buffer, table: Buffer = Buffer.alloc(0)): Buffer {
  const times = box('mdhd', numbers(0, 0, 0, 48000, ticks, 0));
  const stsd = box('stsd', numbers(0, 1), entry);
  return box('trak', box('mdia', times, handler(kind), box('minf', box('stbl', stsd, table))));
}

/** A sample entry of that type: 2 channels of 16 bits at 44.1 kHz, with boxes behind. */
const entry = (type: string, ...boxes: Buffer[]) =>
  box(type, Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]), numbers(0, 0, 0x0002_0010, 0, 44100 * 65536), ...boxes);
const surround = Buffer.from([0x11, 0xb0]);
const esds = (config: Buffer, objectType = 0x40) =>
  box(
    'esds',
    numbers(0),
    Buffer.from([3, 0x80, 0x80, 25, 0, 1, 0]),
    Buffer.from([4, 17, objectType, 0x15, 0, 0, 0]),
    numbers(1, 1),
    Buffer.from([5, config.length]),
    config,
  );
const movie = (...tracks: Buffer[]) => box('moov', box('mvhd', numbers(0, 0, 0, 1000, 0)), ...tracks);

describe('readMp4Header', () => {
  it('takes rate and channels of AAC from its configuration, not from the sample entry', async () => {
    const sound = track('soun', 96000, entry('mp4a', esds(surround)));
    const film = track('vide', 480000, entry('avc1'));
    const second = track('soun', 48000, entry('mp4a'));
    const expected = { seconds: 2, sampleRate: 48000, channels: 6, truncated: false };
    const media = box('mdat', Buffer.alloc(5000));
    expect(await read(Buffer.concat([ftyp, media, movie(film, sound, second)]))).toEqual(expected);
    expect(await read(Buffer.concat([ftyp, movie(film, sound, second), media]))).toEqual(expected);
  });

  it('reads QuickTime, where esds lies in wave', async () => {
    const old = entry(
      'mp4a',
      numbers(1024, 0, 0, 0),
      box('wave', box('frma', Buffer.from('mp4a')), esds(surround)),
    );
    old.writeUInt16BE(1, 8 + 8);
    expect(await read(Buffer.concat([ftyp, movie(track('soun', 48000, old))]))).toMatchObject({
      channels: 6,
    });
  });

  it('takes the sample entry of other codecs at its word, where it has one', async () => {
    const of = async (one: Buffer) => read(Buffer.concat([ftyp, movie(track('soun', 48000, one))]));
    const plain = { seconds: 1, sampleRate: 44100, channels: 2, truncated: false };
    expect(await of(entry('sowt'))).toEqual(plain);
    expect(await of(entry('mp4a', esds(surround, 0x6b)))).toEqual(plain); // MP3 in MP4
    expect(await of(entry('ac-3'))).toEqual({ ...plain, sampleRate: null, channels: null });
  });

  it('counts samples where the header does not know the length', async () => {
    const table = box('stts', numbers(0, 2, 46, 1024, 1, 896));
    for (const unknown of [0, 0xffffffff]) {
      const sound = track('soun', unknown, entry('mp4a', esds(surround)), table);
      expect(await read(Buffer.concat([ftyp, movie(sound)]))).toMatchObject({ seconds: 1 });
    }
    const empty = track('soun', 0, entry('mp4a', esds(surround)));
    expect(await read(Buffer.concat([ftyp, movie(empty)]))).toMatchObject({ seconds: 0 });
    const whole = (...more: Buffer[]) => read(Buffer.concat([ftyp, movie(empty, box('mvex', ...more))]));
    expect(await whole(box('mehd', numbers(0, 2500)))).toMatchObject({ seconds: 2.5 });
    expect(await whole()).toMatchObject({ seconds: null });
  });

  it('reads 64-bit sizes and lengths', async () => {
    const times = box('mdhd', numbers(0x01000000, 0, 0, 0, 0, 48000, 0, 144000, 0));
    const stsd = box('stsd', numbers(0, 1), entry('mp4a', esds(surround)));
    const sound = box('trak', box('mdia', times, handler('soun'), box('minf', box('stbl', stsd))));
    const media = Buffer.concat([numbers(1), Buffer.from('mdat'), numbers(0, 16 + 40), Buffer.alloc(40)]);
    expect(await read(Buffer.concat([ftyp, media, movie(sound)]))).toMatchObject({
      seconds: 3,
      truncated: false,
    });
  });

  it('notices media data that the file does not hold', async () => {
    const whole = Buffer.concat([
      ftyp,
      movie(track('soun', 48000, entry('mp4a', esds(surround)))),
      box('mdat', Buffer.alloc(900)),
    ]);
    expect(await read(whole)).toMatchObject({ truncated: false });
    expect(await read(whole.subarray(0, -1))).toMatchObject({ truncated: true, channels: 6 });
  });

  it('says what is wrong', async () => {
    const sound = movie(track('soun', 48000, entry('mp4a', esds(surround))));
    const film = track('vide', 48000, entry('avc1'));
    expect(await trouble(Buffer.from('<html><body>no such clip'))).toBe(
      "no MP4 header (the file begins with '<html><body>')",
    );
    expect(await trouble(ftyp.subarray(0, 5))).toBe("no MP4 header (the file begins with '????f')");
    expect(await trouble(Buffer.concat([ftyp, box('mdat', Buffer.alloc(80))]))).toBe(
      `no moov box before the end at byte ${ftyp.length + 88}: cut short, or never finished by its writer`,
    );
    expect(await trouble(Buffer.concat([ftyp, sound]).subarray(0, -4))).toMatch(
      /^a moov box of \d+ bytes at byte 16, but the file ends at byte \d+$/,
    );
    expect(await trouble(Buffer.concat([ftyp, movie(film)]))).toBe('no audio stream (streams: vide)');
    expect(await trouble(Buffer.concat([ftyp, movie()]))).toBe('no audio stream (no stream at all)');
    const bare = box('trak', box('mdia', handler('soun')));
    expect(await trouble(Buffer.concat([ftyp, movie(bare)]))).toBe(
      'an audio stream without mdhd or stsd box',
    );
    const cut = entry('mp4a', box('esds', numbers(0), Buffer.from([3, 2])));
    expect(await trouble(Buffer.concat([ftyp, movie(track('soun', 1, cut))]))).toBe(
      'a moov box that is damaged',
    );
    const odd = entry('mp4a', box('esds', numbers(0), Buffer.from([9, 2, 0, 0])));
    expect(await trouble(Buffer.concat([ftyp, movie(track('soun', 1, odd))]))).toBe(
      'an esds box without descriptor 3 at its byte 4',
    );
  });

  it('never throws anything else, whichever byte is damaged', async () => {
    const whole = Buffer.concat([ftyp, movie(track('soun', 48000, entry('mp4a', esds(surround))))]);
    let headers = 0;
    for (let at = 0; at < whole.length; at++) {
      for (const value of [0, 1, 0xff]) {
        const damaged = Buffer.from(whole);
        damaged[at] = value;
        const outcome: unknown = await read(damaged).catch((error: unknown) => error);
        if (!(outcome instanceof Error)) headers++;
        else expect(outcome, `byte ${at} = ${value}`).toBeInstanceOf(HeaderError);
      }
    }
    expect(headers).toBeGreaterThan(0);
    expect(headers).toBeLessThan(3 * whole.length);
  });

  it('reads a 5.1 clip as ffmpeg does: 48 kHz, 6 channels, 5.312 s', async ({ skip }) => {
    const file = sharedData('audio_fixtures/lhotse/big_buck_bunny_small.mp4');
    if (file === undefined) {
      skip('no shared data');
      return;
    }
    expect(await read(readFileSync(file))).toEqual({
      seconds: 5.312,
      sampleRate: 48000,
      channels: 6,
      truncated: false,
    });
  });

  it('reads what ffmpeg writes', async ({ skip }) => {
    const ffmpeg = findFfmpeg();
    if (ffmpeg === undefined) {
      skip('no ffmpeg');
      return;
    }
    const header = async (kind: ClipKind) => {
      const { seconds, sampleRate, channels } = await read(clip(ffmpeg, kind));
      return [seconds === null ? null : Math.round(seconds * 1000) / 1000, sampleRate, channels];
    };
    // 0.2 s are 9600 samples; a frame of delay goes before them
    expect(await header('surround')).toEqual([0.221, 48000, 6]);
    expect(await header('stereo')).toEqual([0.221, 48000, 2]);
    expect(await header('eight')).toEqual([0.221, 48000, 8]);
    expect(await header('mono')).toEqual([0.223, 44100, 1]);
    expect(await header('shortest')).toEqual([0.064, 48000, 2]);
    expect(await header('film')).toEqual([0.421, 48000, 6]);
    expect(await header('fragmented')).toEqual([null, 48000, 2]);
    expect(await trouble(clip(ffmpeg, 'silentFilm'))).toBe('no audio stream (streams: vide)');
  });
});
