import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { placeChannels } from '../../src/corpora/lhotse-recordings.ts';
import { prepareTable } from '../../src/corpora/table.ts';
import type { TableOptions } from '../../src/corpora/table-options.ts';
import { describeFinding } from '../../src/manifest/finding.ts';
import { putFiles, temporaryFolder } from '../support.ts';

const lines = (values: object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');
const recording = (id: string, source: string, changes: object = {}) => ({
  id,
  sources: [{ type: 'file', channels: [0], source }],
  sampling_rate: 16000,
  num_samples: 160000,
  duration: 10,
  channel_ids: [0],
  ...changes,
});
const supervision = (id: string, recording_id: string, changes: object = {}) => ({
  id,
  recording_id,
  start: 0.1,
  duration: 0.2,
  channel: 0,
  text: 'words',
  language: 'English',
  speaker: 's1',
  custom: { emotion: 'sad' },
  alignment: { word: [['words', 0.1, 0.2, 1]] },
  ...changes,
});
const prepare = (files: Record<string, string | Uint8Array>, table?: TableOptions, carded = true) => {
  const root = temporaryFolder();
  putFiles(root, files);
  return prepareTable(root, { dataset: 'x', carded, ...(table && { table }) });
};

describe('prepareTable of Lhotse manifests', () => {
  it('joins supervisions to recordings; one of the same length is the recording', () => {
    const { utterances, problems, sources, card } = prepare(
      {
        'recordings.jsonl.gz': gzipSync(lines([recording('r1', 'a.wav'), recording('r2', 'b/c.flac')])),
        'supervisions.jsonl': lines([
          supervision('u1', 'r1', { text: ' I\u0092m ' }),
          supervision('u2', 'r2', { start: 0, duration: 10.0004, speaker: 's2', custom: { emotion: 'joy' } }),
        ]),
      },
      undefined,
      false,
    );
    expect(problems).toEqual([]);
    expect(utterances).toMatchObject([
      {
        id: 'x/u1',
        text: 'I’m',
        rawText: ' I\u0092m ',
        speaker: 's1',
        rawLabel: 'sad',
        dialogue: 'r1',
        split: null,
      },
      { id: 'x/u2', speaker: 's2', rawLabel: 'joy', dialogue: null, media: { path: 'b/c.flac' } },
    ]);
    const open = { sha256: null, seconds: null, sampleRate: null, channels: null };
    expect(utterances.map((one) => one.media)).toEqual([
      { path: 'a.wav', start: 0.1, end: 0.3, ...open },
      { path: 'b/c.flac', ...open },
    ]);
    expect(sources.get('x/u2')).toEqual({ file: 'supervisions.jsonl', line: 2 });
    expect(card?.tasks[0]?.protocol).toEqual({ kind: 'by-speaker' });
  });

  it('takes the keys that are named, and several pairs for splits', () => {
    const custom = { mood: { main: 'calm' }, part: '3' };
    const files = Object.fromEntries(
      ['train', 'test'].flatMap((split) => [
        [`ami-ihm_recordings_${split}.jsonl.gz`, gzipSync(lines([recording('r', 'a.wav')]))],
        [`ami-ihm_supervisions_${split}.jsonl.gz`, gzipSync(lines([supervision('u', 'r', { custom })]))],
      ]),
    );
    const mapping = { label: 'custom.mood.main', session: 'custom.part' };
    expect(prepare(files, mapping).utterances).toMatchObject([
      { id: 'x/test/u', split: 'test', session: '3', rawLabel: 'calm' },
      { id: 'x/train/u', split: 'train', session: '3', rawLabel: 'calm' },
    ]);
    const one = prepare(files, { ...mapping, table: 'ami-ihm_supervisions_test.jsonl.gz' });
    expect(one.utterances.map((row) => [row.id, row.split])).toEqual([['x/u', null]]);
    expect(() => prepare(files)).toThrow('no column for the label: the columns of ami-ihm_supervisions_test');
  });

  it('lists what cannot be read, with its place', () => {
    const { utterances, problems } = prepare({
      'recordings.jsonl': lines([
        recording('r1', 'a.wav', { sources: [{ type: 'file', channels: [0, 1], source: 'a.wav' }] }),
        recording('pipe', 'x', { sources: [{ type: 'command', channels: [0], source: 'cat a.wav |' }] }),
        recording('fast', 'b.wav', { transforms: [{ name: 'Speed', kwargs: { factor: 1.1 } }] }),
        recording('r1', 'c.wav'),
        recording('alone', 'd.wav'),
        { id: 'r9', sources: [], duration: 1 },
      ]),
      'supervisions.jsonl': lines([
        supervision('u1', 'r1', { channel: 1 }),
        supervision('u2', 'r1', { channel: [0, 1] }),
        supervision('u3', 'r1', { channel: 2 }),
        supervision('u4', 'pipe'),
        supervision('u5', 'r1', { duration: -1 }),
        supervision('u1', 'r1'),
      ]),
    });
    expect(utterances.map((one) => [one.id, one.media?.channel])).toEqual([
      ['x/u1', 1],
      ['x/u2', undefined],
    ]);
    expect(problems.map(describeFinding)).toEqual([
      'recordings.jsonl:2: schema: expected a file as source of pipe, found a source of type command',
      'recordings.jsonl:3: schema: expected fast without transforms, found 1: store what they give',
      'recordings.jsonl:4: duplicate-id: expected r1 once, found it again (first: line 1)',
      'recordings.jsonl:6: schema: expected a recording of Lhotse, found sources: Too small: expected array to have >=1 items',
      'supervisions.jsonl:3: schema: expected one channel of 0,1, or all of one file, found channel 2',
      "supervisions.jsonl:4: schema: expected a recording in recordings.jsonl, found 'pipe'",
      "supervisions.jsonl:5: schema: expected start and duration in seconds, found '0.1' and '-1'",
      'supervisions.jsonl:6 x/u1: duplicate-id: expected each id once, found it again (first: supervisions.jsonl:1)',
      'recordings.jsonl:5: layout: expected a supervision of alone, found none',
    ]);
  });

  it('says what is not there', () => {
    const supervisions = { 'my.jsonl': lines([supervision('u', 'r')]) };
    expect(() => prepare(supervisions, { format: 'lhotse' })).toThrow('no Lhotse manifests in');
    expect(() => prepare(supervisions, { format: 'lhotse', table: 'my.jsonl' })).toThrow(
      'no recordings that belong to my.jsonl: name them with --columns recordings=FILE',
    );
    const files = { ...supervisions, [join('in', 'r.jsonl')]: lines([recording('r', 'a.wav')]) };
    const named = { format: 'lhotse', table: 'my.jsonl', recordings: 'in/r.jsonl' } as const;
    expect(prepare(files, named).utterances).toHaveLength(1);
  });
});

describe('placeChannels', () => {
  const of = (...sources: { channels: number[]; source: string }[]) => ({
    sources,
    duration: 1,
    place: { file: 'r', line: 1 },
  });

  it('finds the file of a channel, and its index there', () => {
    const stereo = of({ channels: [0, 1], source: 'a' });
    expect([[0], [1], [0, 1], [0, 2], [2]].map((channels) => placeChannels(stereo, channels))).toEqual([
      { source: 'a', channel: 0 },
      { source: 'a', channel: 1 },
      { source: 'a' },
      null,
      null,
    ]);
    const array = of({ channels: [0], source: 'a' }, { channels: [4, 2], source: 'b' });
    expect([[0], [2], [4], [0, 2], [2, 4]].map((channels) => placeChannels(array, channels))).toEqual([
      { source: 'a' },
      { source: 'b', channel: 0 },
      { source: 'b', channel: 1 },
      null,
      null,
    ]);
    expect(placeChannels(of({ channels: [3], source: 'c' }), [3])).toEqual({ source: 'c' });
  });
});
