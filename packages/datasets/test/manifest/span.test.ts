import { describe, expect, it } from 'vitest';
import { audioKey, rowSpan, spanKey } from '../../src/manifest/span.ts';
import { row } from '../support.ts';

const media = { path: 'long.wav', sha256: 'a'.repeat(64), seconds: 2, sampleRate: 16000, channels: 1 };

describe('rowSpan', () => {
  it('is that of the segment, then of the episode, then of the dialogue', () => {
    const times = { season: '8', episode: '21', start: '00:16:16,059', end: '00:16:21,731' };
    const segment = row('d/a', { media: { ...media, start: 1.5, end: 3.5 }, tags: times, dialogue: 'x' });
    expect(rowSpan(segment)).toEqual({ recording: 'long.wav', channel: null, start: 1.5, end: 3.5 });
    expect(rowSpan(row('d/a', { tags: times, dialogue: 'x' }))).toEqual({
      recording: 'season 8 episode 21',
      channel: null,
      start: 976.059,
      end: 981.731,
    });
    const source = { file: 'f', line: 1, start: 6.2901, end: 8.2357 };
    expect(rowSpan(row('d/a', { dialogue: 'Ses01F_impro01' }), source)).toEqual({
      recording: 'Ses01F_impro01',
      channel: null,
      start: 6.2901,
      end: 8.2357,
    });
    expect(rowSpan(row('d/a'))).toBeNull();
  });

  it('reads tags of seconds, and takes what is no time for none', () => {
    const at = (start: string) => rowSpan(row('d/a', { dialogue: 'x', tags: { start, end: '9.25' } }));
    expect(at('8')).toMatchObject({ start: 8, end: 9.25 });
    expect(at('1:02:03,5')).toMatchObject({ start: 3723.5 });
    expect(at('soon')).toMatchObject({ start: null });
  });
});

describe('spanKey', () => {
  it('is equal to the millisecond, by recording and channel', () => {
    const span = { recording: 'r', channel: null, start: 1, end: 2.0004 };
    expect(spanKey(span)).toBe('r 1.000-2.000 s');
    expect(spanKey({ ...span, channel: 1 })).toBe('r channel 1 1.000-2.000 s');
    expect(spanKey({ ...span, end: 2.001 })).not.toBe(spanKey(span));
    expect(spanKey({ ...span, end: null })).toBeNull();
  });
});

describe('audioKey', () => {
  it('is the digest, with the segment and the channel where there are any', () => {
    expect(audioKey(row('d/a'))).toBeNull();
    expect(audioKey(row('d/a', { media }))).toBe(media.sha256);
    const keys = [{ start: 0, end: 1 }, { start: 0, end: 2 }, { start: 1 }, { channel: 1 }].map((cut) =>
      audioKey(row('d/a', { media: { ...media, ...cut } })),
    );
    expect(new Set(keys).size).toBe(4);
  });
});
