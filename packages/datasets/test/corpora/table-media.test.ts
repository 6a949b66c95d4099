import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findAudioFolder, resolveFile, withoutEnding } from '../../src/corpora/table-media.ts';
import { putFiles, temporaryFolder } from '../support.ts';

const folderOf = (...files: string[]) => {
  const folder = temporaryFolder();
  putFiles(folder, Object.fromEntries(files.map((file) => [file, ''])));
  return folder;
};

describe('findAudioFolder', () => {
  it('takes the ordinary folder that holds most of the files', () => {
    const files = ['a.wav', 'b.wav', 'c.wav'];
    expect(findAudioFolder(folderOf('a.wav', 'wavs/a.wav'), undefined, files)).toBe('');
    expect(findAudioFolder(folderOf('a.wav', 'wavs/a.wav', 'wavs/b.wav'), undefined, files)).toBe('wavs');
    expect(findAudioFolder(folderOf('audio/x.wav'), undefined, files)).toBe('');
  });

  it('takes the one that is given, if it is there', () => {
    const folder = folderOf('sounds/a.wav', 'file');
    expect(findAudioFolder(folder, 'sounds', [])).toBe('sounds');
    expect(() => findAudioFolder(folder, 'sound', [])).toThrow(
      `no folder ${folder}/sound: expected the recordings`,
    );
    expect(() => findAudioFolder(folder, 'file', [])).toThrow('no folder');
  });
});

describe('resolveFile', () => {
  it('keeps an ending, finds one that was left out, and takes any path', () => {
    const folder = folderOf('wavs/a.flac', 'wavs/s.1/b.wav', 'wavs/b.MP3');
    expect(resolveFile(folder, 'wavs', 'x.wav')).toBe('wavs/x.wav');
    expect(resolveFile(folder, 'wavs', 'b.MP3')).toBe('wavs/b.MP3');
    expect(resolveFile(folder, 'wavs', 'a')).toBe('wavs/a.flac');
    expect(resolveFile(folder, 'wavs', './s.1\\b')).toBe('wavs/s.1/b.wav');
    expect(resolveFile(folder, 'wavs', 'gone')).toBe('wavs/gone');
    expect(resolveFile(folder, 'wavs', join(folder, 'wavs/a.flac'))).toBe('wavs/a.flac');
  });
});

describe('withoutEnding', () => {
  it('drops the ending of sound files only', () => {
    expect(withoutEnding('/r', 'x/a.wav')).toBe('x/a');
    expect(withoutEnding('/r', './a.1.FLAC')).toBe('a.1');
    expect(withoutEnding('/r', 'a.1')).toBe('a.1');
    expect(withoutEnding('/r', '/r/x/a.mp3')).toBe('x/a');
  });
});
