import { describe, expect, it } from 'vitest';
import { readAacConfig } from '../../src/manifest/aac-config.ts';
import { HeaderError } from '../../src/manifest/header-error.ts';

const read = (hex: string) => readAacConfig(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

// Bytes by hand from ISO/IEC 14496-3, 1.6.2.1; the first five are as ffmpeg writes them.
describe('readAacConfig', () => {
  it.each([
    ['LC, 48 kHz, mono', '11 88', 48000, 1],
    ['LC, 44.1 kHz, stereo', '12 10', 44100, 2],
    ['LC, 48 kHz, 5.1', '11 b0', 48000, 6],
    ['LC, 48 kHz, 7.1', '11 b8', 48000, 8],
    ['LC, 16 kHz, mono', '14 08', 16000, 1],
    ['SBR first: 22.05 to 44.1 kHz, stereo', '2b 92 08 00', 44100, 2],
    ['parametric stereo first: mono to stereo', 'eb 8a 08 00', 44100, 2],
    ['SBR behind a sync word: 22.05 to 44.1 kHz', '13 88 56 e5 a0', 44100, 1],
    // 00010 1111 + 24 bits of 11468 Hz + 0010 + 000
    ['a rate of its own', '17 80 16 66 10', 11468, 2],
  ])('reads %s', (_, hex, sampleRate, channels) => {
    expect(read(hex)).toEqual({ sampleRate, channels });
  });

  it('counts the channels of a program config element', () => {
    // LC, 48 kHz, configuration 0: front a single and a pair, back a pair, one low frequency element: 6 channels
    const bits = [
      '00010 0011 0000 000', // LC, 48 kHz, told by the element; general audio without extension
      '0000 01 0011 0010 0000 0001 01 000 0000 0 0 0', // elements: 2 front, 0 side, 1 back, 1 low frequency
      '0 0000 1 0000 1 0001 0000', // single, pair, pair, low frequency
    ]
      .join('')
      .replaceAll(' ', '');
    const padded = bits.padEnd(8 * Math.ceil(bits.length / 8), '0') + '00000000';
    const bytes = Uint8Array.from(padded.match(/.{8}/g) ?? [], (byte) => parseInt(byte, 2));
    expect(readAacConfig(bytes)).toEqual({ sampleRate: 48000, channels: 6 });
  });

  it('says what is wrong', () => {
    const trouble = (hex: string) => {
      try {
        read(hex);
      } catch (error) {
        expect(error).toBeInstanceOf(HeaderError);
        return (error as Error).message;
      }
      return '';
    };
    expect(trouble('')).toBe('an AAC configuration that is cut short (0 bytes)');
    expect(trouble('11')).toBe('an AAC configuration that is cut short (1 bytes)');
    expect(trouble('16 90')).toBe('an AAC configuration of reserved rate (13)');
    expect(trouble('11 c0')).toBe('an AAC configuration of reserved channels (8)');
  });
});
