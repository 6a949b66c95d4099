import {
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../src/base/canonical-json.ts';
import { Interrupted } from '../../src/base/errors.ts';
import { silent } from '../../src/base/reporter.ts';
import { describeFinding } from '../../src/manifest/finding.ts';
import { MediaCache } from '../../src/manifest/media-cache.ts';
import { readMedia, type MediaMode } from '../../src/manifest/media.ts';
import { clip, findFfmpeg } from '../support/clips.ts';
import { putFiles, row, temporaryFolder, wavBytes } from '../support.ts';

const pass = (root: string, mode: MediaMode, cache = new MediaCache(null, root)) => ({
  root,
  mode,
  cache,
  reporter: silent,
});

describe('readMedia', () => {
  it('fills in what the mode asks for, and nulls for the rest', async () => {
    const root = temporaryFolder();
    const [wav, avi] = [wavBytes(1.5), Buffer.from('some other format')];
    putFiles(root, { 'd/a.wav': wav, 'd/b.avi': avi });
    const rows = [
      row('d/a'),
      row('d/b', {
        media: { path: 'd/b.avi', sha256: null, seconds: null, sampleRate: null, channels: null },
      }),
    ];
    const media = async (mode: MediaMode) =>
      (await readMedia(rows, pass(root, mode))).utterances.map((one) => one.media);
    const none = { sha256: null, seconds: null, sampleRate: null, channels: null };
    const header = { seconds: 1.5, sampleRate: 16000, channels: 1 };
    expect(await media('none')).toEqual([
      { path: 'd/a.wav', ...none },
      { path: 'd/b.avi', ...none },
    ]);
    expect(await media('headers')).toEqual([
      { path: 'd/a.wav', sha256: null, ...header },
      { path: 'd/b.avi', ...none },
    ]);
    expect(await media('hash')).toEqual([
      { path: 'd/a.wav', sha256: sha256Hex(wav), ...header },
      { path: 'd/b.avi', ...none, sha256: sha256Hex(avi) },
    ]);
  });

  it('warns of a format whose headers it does not read, from the cache as well', async () => {
    const root = temporaryFolder();
    putFiles(root, { 'd/a.avi': 'some other format' });
    const cache = new MediaCache(null, root);
    const media = { path: 'd/a.avi', sha256: null, seconds: null, sampleRate: null, channels: null };
    const read = async () =>
      (await readMedia([row('d/a', { media })], pass(root, 'headers', cache))).problems;
    const first = await read();
    expect(first.map((one) => `${one.level} ${describeFinding(one)}`)).toEqual([
      'warning d/a.avi d/a: media-unread: expected a header that tells length, rate and channels, found a format of another kind',
    ]);
    expect(await read()).toEqual(first);
    expect(cache.hits).toBe(1);
  });

  it('reports what is wrong with clips, and keeps their rows', async ({ skip }) => {
    const ffmpeg = findFfmpeg();
    if (ffmpeg === undefined) {
      skip('no ffmpeg');
      return;
    }
    const root = temporaryFolder();
    const [film, surround] = [clip(ffmpeg, 'film'), clip(ffmpeg, 'surround')];
    putFiles(root, {
      'd/cutFilm.mp4': film.subarray(0, film.length - 900),
      'd/cutSound.mp4': surround.subarray(0, surround.length - 300),
      'd/empty.mp4': '',
      'd/film.mp4': film,
      'd/html.mp4': '<html>',
      'd/silent.mp4': clip(ffmpeg, 'silentFilm'),
    });
    const names = ['cutFilm', 'cutSound', 'empty', 'film', 'gone', 'html', 'silent'];
    const rows = names.map((name) =>
      row(`d/${name}`, {
        media: { path: `d/${name}.mp4`, sha256: null, seconds: null, sampleRate: null, channels: null },
      }),
    );
    const { utterances, problems } = await readMedia(rows, pass(root, 'headers'));
    expect(
      utterances.map((one) => [one.id.slice(2), one.tags['media'] ?? '', one.media?.channels ?? null]),
    ).toEqual([
      ['cutFilm', 'truncated', 6],
      ['cutSound', 'corrupt', null],
      ['empty', 'empty', null],
      ['film', '', 6],
      ['gone', 'missing', null],
      ['html', 'corrupt', null],
      ['silent', 'corrupt', null],
    ]);
    expect(problems.map((one) => `${one.id?.slice(2)} ${one.kind}: ${one.found}`)).toEqual([
      'cutFilm media-truncated: the file ends early',
      expect.stringMatching(
        /^cutSound media-undecodable: a moov box of \d+ bytes at byte \d+, but the file ends/,
      ),
      'empty media-empty: a file of 0 bytes',
      'gone media-missing: there is no such file or folder',
      "html media-undecodable: no MP4 header (the file begins with '<html>')",
      'silent media-undecodable: no audio stream (streams: vide)',
    ]);
  });

  it('keeps rows whose media is missing, empty or damaged, with a tag and a finding for each', async () => {
    const root = temporaryFolder();
    putFiles(root, {
      'd/0bytes.wav': '',
      'd/0samples.wav': wavBytes(0),
      'd/good.wav': wavBytes(1),
      'd/html.wav': '<html>',
      'd/short.wav': wavBytes(1).subarray(0, 16044),
    });
    mkdirSync(join(root, 'd/folder.wav'));
    symlinkSync('loop.wav', join(root, 'd/loop.wav'));
    const names = ['0bytes', '0samples', 'folder', 'good', 'gone', 'html', 'loop', 'short'];
    const { utterances, problems } = await readMedia(
      names.map((name) => row(`d/${name}`)),
      pass(root, 'hash'),
    );
    expect(
      utterances.map((one) => [one.id.slice(2), one.tags['media'] ?? '', one.media?.seconds ?? null]),
    ).toEqual([
      ['0bytes', 'empty', null],
      ['0samples', 'empty', 0],
      ['folder', 'corrupt', null],
      ['good', '', 1],
      ['gone', 'missing', null],
      ['html', 'corrupt', null],
      ['loop', 'corrupt', null],
      ['short', 'truncated', 0.5],
    ]);
    const expected = 'expected a readable recording, found';
    expect(problems.map(describeFinding)).toEqual([
      `d/0bytes.wav d/0bytes: media-empty: ${expected} a file of 0 bytes`,
      'd/0samples.wav d/0samples: media-empty: expected sound, found a header and 0 samples',
      `d/folder.wav d/folder: media-undecodable: ${expected} not a file`,
      `d/gone.wav d/gone: media-missing: ${expected} there is no such file or folder`,
      `d/html.wav d/html: media-undecodable: ${expected} no RIFF/WAVE header (the file begins with '<html>')`,
      `d/loop.wav d/loop: media-undecodable: ${expected} its symbolic links form a loop`,
      'd/short.wav d/short: media-truncated: expected all that its header promises, found the file ends after 0.5 s',
    ]);
    expect(problems.every((one) => one.level === 'error')).toBe(true);
  });

  it('gives a segment its own length', async () => {
    const root = temporaryFolder();
    putFiles(root, { 'd/a.wav': wavBytes(2) });
    const media = {
      path: 'd/a.wav',
      start: 0.5,
      end: 1.25,
      sha256: null,
      seconds: null,
      sampleRate: null,
      channels: null,
    };
    const { utterances } = await readMedia([row('d/a_1', { media })], pass(root, 'headers'));
    expect(utterances[0]?.media).toMatchObject({ start: 0.5, end: 1.25, seconds: 0.75 });
  });

  it('stops on the signal', async () => {
    const root = temporaryFolder();
    const signal = AbortSignal.abort();
    await expect(readMedia([row('d/a')], { ...pass(root, 'hash'), signal })).rejects.toThrow(Interrupted);
  });
});

describe('MediaCache', () => {
  const setUp = () => {
    const root = temporaryFolder();
    putFiles(root, {
      'd/a.wav': wavBytes(1),
      'd/b.wav': wavBytes(1, 2),
      'd/short.wav': wavBytes(1).subarray(0, 16044),
    });
    const file = join(temporaryFolder(), 'store/cache.json');
    const rows = ['a', 'b', 'short'].map((name) => row(`d/${name}`));
    const run = async (mode: MediaMode, folder = root) => {
      const cache = new MediaCache(file, folder);
      const outcome = await readMedia(rows, pass(folder, mode, cache));
      cache.save();
      return { hits: cache.hits, ...outcome };
    };
    return { root, file, run };
  };

  it('spares unchanged files, and gives the same answer', async () => {
    const { run } = setUp();
    const first = await run('hash');
    const second = await run('hash');
    expect([first.hits, second.hits]).toEqual([0, 3]);
    expect(second).toEqual({ ...first, hits: 3 });
    const headers = await run('headers');
    expect(headers.hits).toBe(3);
    expect(headers.utterances[0]?.media?.sha256).toBeNull();
  });

  it('hashes what was only looked at before', async () => {
    const { run } = setUp();
    await run('headers');
    const hashed = await run('hash');
    expect(hashed.hits).toBe(0);
    expect(hashed.utterances[0]?.media?.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('reads a file again when its size, time or inode changed', async () => {
    const { root, run } = setUp();
    const before = await run('hash');
    const path = join(root, 'd/a.wav');
    const { atime, mtime } = statSync(path);
    // same size and time, another inode
    writeFileSync(join(root, 'd/new.wav'), wavBytes(1, 3));
    utimesSync(join(root, 'd/new.wav'), atime, mtime);
    renameSync(join(root, 'd/new.wav'), path);
    // same inode and size, another time
    const other = join(root, 'd/b.wav');
    writeFileSync(other, wavBytes(1, 5));
    utimesSync(other, atime, new Date(mtime.getTime() + 5000));
    const after = await run('hash');
    expect(after.hits).toBe(1);
    expect(after.utterances.map((one) => one.media?.sha256)).toEqual([
      sha256Hex(wavBytes(1, 3)),
      sha256Hex(wavBytes(1, 5)),
      before.utterances[2]?.media?.sha256,
    ]);
  });

  it('is of no use to another root, and a damaged one costs time only', async () => {
    const { root, file, run } = setUp();
    await run('hash');
    const copy = temporaryFolder();
    putFiles(
      copy,
      Object.fromEntries(
        ['a', 'b', 'short'].map((name) => [`d/${name}.wav`, readFileSync(join(root, `d/${name}.wav`))]),
      ),
    );
    expect((await run('hash', copy)).hits).toBe(0);
    await run('hash');
    writeFileSync(file, readFileSync(file).subarray(0, 40));
    expect((await run('hash')).hits).toBe(0);
    expect((await run('hash')).hits).toBe(3);
  });
});
