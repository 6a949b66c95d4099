import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silent } from '../../src/base/reporter.ts';
import { prepareTable } from '../../src/corpora/table.ts';
import type { TableOptions } from '../../src/corpora/table-options.ts';
import { buildManifest } from '../../src/manifest/build.ts';
import { describeFinding } from '../../src/manifest/finding.ts';
import { readManifest } from '../../src/manifest/manifest-file.ts';
import { putFiles, temporaryFolder, wavBytes } from '../support.ts';

/** A data folder of two recordings with three parts. */
const FOLDER = {
  'wav.scp': 'call1 wav/call1.wav\ncall2 wav/call 2.wav\n',
  segments: 'bob-1 call1 0.5 1.25\nann-1 call1 1.25 2\nann-2 call2 0 -1\n',
  text: 'bob-1 good morning\nann-1 I\u0092m   fine\nann-2\n',
  utt2spk: 'bob-1 bob\nann-1 ann\nann-2 ann\n',
  utt2emo: 'bob-1 happy\nann-1 sad\nann-2 sad\n',
};
const folderOf = (files: Record<string, string | Uint8Array>) => {
  const root = temporaryFolder();
  putFiles(root, files);
  return root;
};
const prepare = (files: Record<string, string>, table?: TableOptions) =>
  prepareTable(folderOf(files), { dataset: 'calls', ...(table && { table }) });

describe('prepareTable of a Kaldi data folder', () => {
  it('takes its files together', () => {
    const { utterances, problems, sources, card } = prepare(FOLDER);
    expect(problems).toEqual([]);
    expect(
      utterances.map((one) => [
        one.id,
        one.speaker,
        one.rawLabel,
        one.text,
        one.rawText,
        one.dialogue,
        one.media,
      ]),
    ).toMatchObject([
      ['calls/bob-1', 'bob', 'happy', 'good morning', 'good morning', 'call1', { start: 0.5, end: 1.25 }],
      [
        'calls/ann-1',
        'ann',
        'sad',
        'I’m fine',
        'I\u0092m   fine',
        'call1',
        { path: 'wav/call1.wav', start: 1.25 },
      ],
      ['calls/ann-2', 'ann', 'sad', '', '', 'call2', { path: 'wav/call 2.wav', start: 0 }],
    ]);
    expect(utterances[2]?.media).not.toHaveProperty('end');
    expect(sources.get('calls/ann-1')).toEqual({ file: 'segments', line: 2 });
    expect(card).toMatchObject({ name: 'calls', adapter: 'table', labels: ['happy', 'sad'] });
  });

  it('takes recordings for utterances where there are no segments, and files that are named for roles', () => {
    const files = {
      'wav.scp': 'a /corpus/a.wav\nb /corpus/b.flac\n',
      moods: 'a sad\nb joy\n',
      spk: 'a 1\nb 2\n',
      sessions: 'a s1\nb s2\n',
      order: 'a 3\nb x\n',
    };
    const table = { label: 'moods', speaker: 'spk', session: 'sessions', turn: 'order', text: null };
    const root = folderOf(files);
    const { utterances, problems } = prepareTable(root, { dataset: 'x', carded: true, table });
    expect(utterances).toHaveLength(1);
    expect(utterances[0]).toMatchObject({ id: 'x/a', session: 's1', speaker: '1', turn: 3, dialogue: null });
    expect(join(realpathSync(root), utterances[0]?.media?.path ?? '')).toBe('/corpus/a.wav');
    expect(problems.map(describeFinding)).toEqual(["order:2: schema: expected a whole number, found 'x'"]);
  });

  it('takes several data folders for splits', () => {
    const part = (name: string, label: string) =>
      Object.fromEntries(
        Object.entries({
          'wav.scp': `u1 audio/${name}.wav\n`,
          text: 'u1 words\n',
          utt2spk: 'u1 s\n',
          utt2emo: `u1 ${label}\n`,
        }).map(([file, content]) => [`data/${name}/${file}`, content]),
      );
    const root = folderOf({
      ...part('train', 'a'),
      ...part('test', 'b'),
      'audio/train.wav': '',
      'data/local/x': '',
    });
    const { utterances, card } = prepareTable(join(root, 'data'), { dataset: 'x' });
    expect(utterances.map((one) => [one.id, one.split, one.media?.path])).toEqual([
      ['x/test/u1', 'test', 'test/audio/test.wav'],
      ['x/train/u1', 'train', '../audio/train.wav'],
    ]);
    expect(card?.tasks[0]?.protocol.kind).toBe('fixed-split');
  });

  it('lists all that does not fit together, with its place', () => {
    const { utterances, problems } = prepare({
      ...FOLDER,
      'wav.scp': 'call1 wav/call1.wav\ncall3 wav/3.wav\ncall1 wav/x.wav\n',
      segments:
        'bob-1 call1 0.5 1.25\nann-1 call1 1.25 2 1\nann-2 call2 0 2\nann-3 call1 x 2\nann-4 call1 2 1\n',
      utt2spk: Buffer.from('bob-1 bob\nann-2 ann\ng\u00e9 ann\n', 'latin1').toString('latin1'),
    });
    expect(utterances.map((one) => [one.id, one.media?.channel])).toEqual([
      ['calls/bob-1', undefined],
      ['calls/ann-1', 1],
    ]);
    expect(problems.map(describeFinding)).toEqual([
      'wav.scp:3: duplicate-id: expected call1 once, found it again (first: line 1)',
      "segments:4: line: expected utterance, recording, start, end in seconds, found 'ann-3 call1 x 2'",
      "utt2spk:3: layout: expected an utterance of segments, found 'gé', which it lacks",
      'segments:2: schema: expected a speaker of ann-1, found none',
      'segments:3: schema: expected a path of call2 in wav.scp, found none',
      'segments:5: schema: expected a speaker of ann-4, found none',
      'segments:5: segment: expected an end after the start of calls/ann-4, found 2 to 1 s',
      'wav.scp:2: layout: expected a segment of call3, found none',
    ]);
  });

  it.each(['sph2pipe -f wav a.sph |', '| cat a.wav', '-', 'raw.ark:1234'])(
    'refuses %s in wav.scp with one line',
    (value) => {
      expect(() => prepare({ ...FOLDER, 'wav.scp': `call2 b.wav\ncall1 ${value}\n` })).toThrow(
        `wav.scp:2: call1 is '${value}' (1 of 2 lines are such): expected plain paths, since no command is run`,
      );
    },
  );

  it('says which file is missing', () => {
    const without = (name: keyof typeof FOLDER) => {
      const { [name]: _, ...rest } = FOLDER;
      return () => prepare(rest);
    };
    expect(without('utt2emo')).toThrow('no label file in');
    expect(without('utt2emo')).toThrow("expected utt2emo, utt2emotion, utt2label ('utterance label' lines)");
    expect(without('utt2spk')).toThrow(
      'so no folds: name a file with --columns speaker=FILE (or session, split)',
    );
    expect(without('text')().problems.map(describeFinding)).toEqual([
      'text: layout: expected a file of the texts (--columns text=FILE, or text=null where the corpus has none), found none',
    ]);
    const root = temporaryFolder();
    mkdirSync(join(root, 'data'));
    expect(() => prepareTable(root, { dataset: 'x', table: { format: 'kaldi' } })).toThrow(
      'nor in a folder of it: expected a Kaldi data folder',
    );
  });

  it('becomes a manifest whose segments have lengths', async () => {
    const root = folderOf({ ...FOLDER, 'wav/call1.wav': wavBytes(3), 'wav/call 2.wav': wavBytes(1.5, 2) });
    const store = temporaryFolder();
    const built = await buildManifest({
      dataset: 'calls',
      root,
      card: null,
      store,
      tool: 't',
      reporter: silent,
    });
    expect(built.problems).toEqual([]);
    const { utterances } = readManifest(store, 'calls');
    expect(utterances.map(({ id, media }) => [id, media?.start, media?.end, media?.seconds])).toEqual([
      ['calls/ann-1', 1.25, 2, 0.75],
      ['calls/ann-2', 0, undefined, 1.5],
      ['calls/bob-1', 0.5, 1.25, 0.75],
    ]);
  });
});
