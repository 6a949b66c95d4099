import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sha256Hex } from '@lsgmer/datasets';
import { audioInput, digestMedia, mediaPath, textInput } from '../../src/run/input-digest.ts';
import { utterance } from './corpus.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-digest-'));
afterAll(() => rmSync(folder, { recursive: true }));

const media = { path: 'a/b.wav', sha256: 'e'.repeat(64), seconds: 1, sampleRate: 16_000, channels: 1 };
const none = new Map<string, string | null>();

describe('textInput', () => {
  it('is the sha256 of the text', () => {
    expect(textInput(utterance('x/y', { text: 'zażółć' }))).toBe(sha256Hex('zażółć'));
  });
});

describe('audioInput', () => {
  it('depends on the recording and the segment, not on path or length', () => {
    const of = (changes: object): string =>
      audioInput(utterance('x/y', { media: { ...media, ...changes } }), none);
    const whole = of({});
    expect(of({ path: 'elsewhere.wav', seconds: null })).toBe(whole);
    expect(
      new Set([
        whole,
        of({ start: 1 }),
        of({ end: 1 }),
        of({ channel: 0 }),
        of({ channel: 1 }),
        of({ sha256: 'f'.repeat(64) }),
      ]).size,
    ).toBe(6);
    expect(audioInput(utterance('x/y'), none)).not.toBe(whole);
  });
});

describe('digestMedia', () => {
  it('reads what the manifest did not hash', async () => {
    writeFileSync(join(folder, 'a.wav'), 'sound');
    const rows = [
      utterance('x/hashed', { media }),
      utterance('x/open', { media: { ...media, path: 'a.wav', sha256: null } }),
      utterance('x/lost', { media: { ...media, path: 'lost.wav', sha256: null } }),
      utterance('x/none'),
    ];
    expect([...(await digestMedia(rows, folder))]).toEqual([
      ['a.wav', sha256Hex('sound')],
      ['lost.wav', null],
    ]);
    await expect(digestMedia(rows, folder, undefined, AbortSignal.abort())).rejects.toThrow(/abort/i);
  });
});

describe('mediaPath', () => {
  it('joins with the separators of the system', () => {
    expect(mediaPath('/root', media)).toBe(join('/root', 'a', 'b.wav'));
  });
});
