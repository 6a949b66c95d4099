import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silent } from '../../src/base/reporter.ts';
import { buildManifest, collectCorpus } from '../../src/manifest/build.ts';
import { loadCard } from '../../src/manifest/card.ts';
import type { Finding } from '../../src/manifest/finding.ts';
import { formatManifest } from '../../src/manifest/manifest-file.ts';
import { validateManifest } from '../../src/manifest/validate.ts';
import { clip, disguised, findFfmpeg } from '../support/clips.ts';
import {
  inventedRows,
  MELD_LAYOUTS,
  meldCsv,
  putClips,
  putTables,
  realRows,
  type MeldRow,
  type MeldRows,
} from '../support/meld-corpus.ts';
import { putFiles, repositoryFile, temporaryFolder } from '../support.ts';

const card = loadCard(repositoryFile('manifests/meld.json'));
const options = (root: string) => ({ dataset: 'meld', root, card, reporter: silent, store: null });
const { clips, tables } = MELD_LAYOUTS.release;

/** The defects that every copy of MELD has, as files: by `train/dia0_utt0`. */
const damaged = (ffmpeg: string) => ({
  'train/dia125_utt3': clip(ffmpeg, 'surround').subarray(0, 2000),
  'dev/dia110_utt7': null,
});
const extras = (ffmpeg: string) => ({
  [`${clips.dev}/dia49_utt4.mp4`]: disguised(clip(ffmpeg, 'surround'), 1, 'a'),
  [`${clips.dev}/dia49_utt5.mp4`]: disguised(clip(ffmpeg, 'surround'), 1, 'b'),
  [`${clips.dev}/dia66_utt9.mp4`]: disguised(clip(ffmpeg, 'surround'), 1, 'c'),
  [`${clips.dev}/dia66_utt10.mp4`]: disguised(clip(ffmpeg, 'surround'), 1, 'd'),
  [`${clips.test}/dia108_utt2.mp4`]: disguised(clip(ffmpeg, 'surround'), 1, 'e'),
  [`${clips.test}/final_videos_testdia101_utt0.mp4`]: disguised(clip(ffmpeg, 'surround'), 1, 'f'),
  [`${clips.test}/._dia0_utt0.mp4`]: '\0\u0005\u0016\u0007',
  [`${clips.test}/._dia0_utt1.mp4`]: '\0\u0005\u0016\u0007',
});
const brief = (findings: readonly Finding[], level: string) =>
  findings
    .filter((one) => one.level === level)
    .map((one) => `${one.kind} ${(one.id ?? one.file ?? '').replace('meld/', '')}`)
    .sort();
/** Leakage and repetition lie in the rows, not in the files. */
const inRows = /^(leak-|duplicate-span|duplicate-number|gap)/;

describe('a tree of real rows and generated clips', () => {
  const rows = realRows();
  const ffmpeg = findFfmpeg();

  it('has exactly the known defects, when it has no others', async ({ skip }) => {
    if (rows === undefined || ffmpeg === undefined) {
      skip('no shared data or no ffmpeg');
      return;
    }
    const root = temporaryFolder();
    putTables(root, rows);
    putClips(root, ffmpeg, rows, MELD_LAYOUTS.release, damaged(ffmpeg));
    putFiles(root, extras(ffmpeg));
    const collected = await collectCorpus(options(root));
    expect(collected.utterances.length).toBeGreaterThan(200);
    const findings = validateManifest({ ...collected, subset: true });
    expect(brief(findings, 'error')).toEqual([]);
    expect(
      brief(findings, 'known').filter((line) => !inRows.test(line) && !line.startsWith('channels')),
    ).toEqual([
      'layout test/output_repeated_splits_test',
      'media-extra dev/dia49_utt4',
      'media-extra dev/dia49_utt5',
      'media-extra dev/dia66_utt10',
      'media-extra dev/dia66_utt9',
      'media-extra test/dia108_utt2',
      'media-extra test/output_repeated_splits_test/final_videos_testdia101_utt0.mp4',
      'media-missing dev/dia110_utt7',
      'media-undecodable train/dia125_utt3',
      'times test/dia155_utt3',
      'times test/dia187_utt2',
      'times train/dia437_utt2',
      'too-long test/dia220_utt0',
      'too-long test/dia38_utt4',
      'too-long train/dia309_utt0',
    ]);
    const lost = collected.utterances.filter((row) => row.media === null);
    expect(lost.map((row) => [row.id, row.tags['media'], row.rawLabel])).toEqual([
      ['meld/dev/dia110_utt7', 'missing', 'neutral'],
      ['meld/train/dia125_utt3', 'corrupt', 'neutral'],
    ]);
    expect(collected.utterances.find((row) => row.id === 'meld/test/dia38_utt4')?.media).toMatchObject({
      seconds: 304.94,
      sampleRate: 48000,
      channels: 6,
    });
  });

  it('has exactly the planted errors beside them, all found in one pass', async ({ skip }) => {
    if (rows === undefined || ffmpeg === undefined) {
      skip('no shared data or no ffmpeg');
      return;
    }
    const root = temporaryFolder();
    const film = clip(ffmpeg, 'film');
    const planted = rows.train.map((row): MeldRow => {
      if (row[5] === '1' && row[6] === '0') return row.with(3, 'bored');
      if (row[5] === '1' && row[6] === '1') return row.with(1, ' ');
      return row;
    });
    const twice = planted.find((row) => row[5] === '2' && row[6] === '0') as MeldRow;
    const changed: MeldRows = { ...rows, train: [...planted, twice] };
    putTables(root, changed);
    putFiles(root, { [tables.test]: `${meldCsv(rows.test)}9999,"torn` });
    putClips(root, ffmpeg, rows, MELD_LAYOUTS.release, {
      ...damaged(ffmpeg),
      'train/dia0_utt0': null,
      'train/dia0_utt1': Buffer.alloc(0),
      'train/dia0_utt2': Buffer.from('<html>no such clip</html>'),
      'train/dia0_utt3': clip(ffmpeg, 'silentFilm'),
      'train/dia0_utt4': film.subarray(0, film.length - 900),
      'train/dia0_utt5': disguised(clip(ffmpeg, 'stereo'), 0.02, 'short'),
      'train/dia0_utt6': disguised(clip(ffmpeg, 'stereo'), 36, 'long'),
      'train/dia0_utt7': disguised(clip(ffmpeg, 'stereo'), 3, 'same'),
      'train/dia0_utt8': disguised(clip(ffmpeg, 'stereo'), 3, 'same'),
    });
    putFiles(root, { ...extras(ffmpeg), [`${clips.train}/dia0_utt99.mp4`]: film });
    const collected = await collectCorpus(options(root));
    const findings = validateManifest({ ...collected, subset: true });
    expect(brief(findings, 'error')).toEqual([
      'duplicate-audio train/dia0_utt8',
      'duplicate-id train/dia2_utt0',
      'line test_sent_emo.csv',
      'media-empty train/dia0_utt1',
      'media-extra train/dia0_utt99',
      'media-missing train/dia0_utt0',
      'media-truncated train/dia0_utt4',
      'media-undecodable train/dia0_utt2',
      'media-undecodable train/dia0_utt3',
      'text-empty train/dia1_utt1',
      'too-long train/dia0_utt6',
      'too-short train/dia0_utt5',
      'unknown-label train/dia1_utt0',
    ]);
    const line = findings.find((one) => one.kind === 'line');
    expect([line?.line, line?.expected]).toEqual([rows.test.length + 2, 'a closing quote']);
    // headers show all of it but what only the bytes tell; without media only the annotations speak
    const headers = await collectCorpus({ ...options(root), media: 'headers' });
    expect(brief(validateManifest({ ...headers, subset: true }), 'error')).toEqual(
      brief(findings, 'error').filter((one) => !one.startsWith('duplicate-audio')),
    );
    const none = await collectCorpus({ ...options(root), media: 'none' });
    expect(brief(validateManifest({ ...none, subset: true }), 'error')).toEqual([
      'duplicate-id train/dia2_utt0',
      'line test_sent_emo.csv',
      'media-extra train/dia0_utt99',
      'text-empty train/dia1_utt1',
      'unknown-label train/dia1_utt0',
    ]);
  });
});

describe('the manifest of a tree', () => {
  it('has the same bytes a second time, in another file order, and in another layout but for paths', async ({
    skip,
  }) => {
    const ffmpeg = findFfmpeg();
    if (ffmpeg === undefined) {
      skip('no ffmpeg');
      return;
    }
    const rows = inventedRows(2);
    const root = temporaryFolder();
    putTables(root, rows);
    putClips(root, ffmpeg, rows);
    const [one, two] = [temporaryFolder(), temporaryFolder()];
    const build = (from: string, store: string) => buildManifest({ ...options(from), store, tool: '0.1.0' });
    const first = await build(root, one);
    const again = await build(root, one);
    expect([first.unchangedMedia, again.unchangedMedia]).toEqual([0, 24]);

    const other = temporaryFolder();
    const backwards = {
      train: rows.train.toReversed(),
      dev: rows.dev.toReversed(),
      test: rows.test.toReversed(),
    };
    putClips(other, ffmpeg, backwards);
    putTables(other, backwards);
    const third = await build(other, two);
    const bytes = (store: string) => readFileSync(join(store, 'meld', 'manifest.json'), 'utf8');
    expect(bytes(two)).toBe(bytes(one));
    expect(third.manifest.info.manifest.sha256).toBe(first.manifest.info.manifest.sha256);
    expect(again.manifest.info).toEqual(first.manifest.info);

    const deep = temporaryFolder();
    putTables(deep, rows, MELD_LAYOUTS.deep);
    putClips(deep, ffmpeg, rows, MELD_LAYOUTS.deep);
    const { utterances } = await collectCorpus(options(deep));
    const inRelease = (text: string) => text.replaceAll('MELD-RAW/MELD.Raw/', '');
    expect(inRelease(formatManifest(utterances))).toBe(formatManifest(first.utterances));
  });
});
