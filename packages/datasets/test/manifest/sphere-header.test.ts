import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { HeaderError } from '../../src/manifest/header-error.ts';
import { readSphereHeader } from '../../src/manifest/sphere-header.ts';
import { sharedData } from '../support.ts';

const header = (lines: string) => Buffer.from(`NIST_1A\n   1024\n${lines}end_head\n`.padEnd(1024, ' '));

it('reads length, rate and channels', () => {
  const lines = 'channel_count -i 2\nsample_rate -i 8000\nsample_coding -s3 pcm\nsample_count -i 12000\n';
  expect(readSphereHeader(header(lines))).toEqual({ seconds: 1.5, sampleRate: 8000, channels: 2 });
  const mono = 'sample_count -i 16000\nsample_rate -i 16000\n';
  expect(readSphereHeader(header(mono))).toEqual({ seconds: 1, sampleRate: 16000, channels: 1 });
});

it('says what is wrong', () => {
  const trouble = (bytes: Buffer) => () => readSphereHeader(bytes);
  expect(trouble(header('sample_rate -i 8000\n'))).toThrow(
    new HeaderError('a SPHERE header without sample_rate or sample_count'),
  );
  expect(trouble(header('').subarray(0, 12))).toThrow(new HeaderError('a SPHERE header that is cut short'));
});

it('reads a file of the wild: 1 s of stereo at 8 kHz', ({ skip }) => {
  const file = sharedData('audio_fixtures/lhotse/stereo.sph');
  if (file === undefined) {
    skip('no shared data');
    return;
  }
  expect(readSphereHeader(readFileSync(file))).toEqual({ seconds: 1, sampleRate: 8000, channels: 2 });
});
