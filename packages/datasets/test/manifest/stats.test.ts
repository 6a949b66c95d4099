import { describe, expect, it } from 'vitest';
import { prepareMeld } from '../../src/corpora/meld.ts';
import { loadCard } from '../../src/manifest/card.ts';
import { manifestStats } from '../../src/manifest/stats.ts';
import { applyTask, findTask } from '../../src/manifest/task.ts';
import type { Utterance } from '../../src/manifest/utterance.ts';
import { repositoryFile, row, sharedData } from '../support.ts';

const card = loadCard(repositoryFile('manifests/iemocap.json'));
const stats = (rows: readonly Utterance[]) => manifestStats(rows, '4class', applyTask(findTask(card), rows));
const media = (seconds: number) => ({ path: 'x.wav', sha256: null, seconds, sampleRate: 1, channels: 1 });

const rows = [
  row('d/a', {
    rawLabel: 'neu',
    session: 'Ses01',
    speaker: '1F',
    dialogue: 'x',
    text: 'a b c',
    media: media(1),
  }),
  row('d/b', { rawLabel: 'hap', session: 'Ses01', speaker: '1M', dialogue: 'x', text: 'a', media: media(2) }),
  row('d/c', { rawLabel: 'exc', session: 'Ses02', speaker: '1F', dialogue: 'y', text: '', media: media(4) }),
  row('d/e', { rawLabel: 'xxx', session: 'Ses02', speaker: null, dialogue: null, media: null }),
  row('d/f', { tags: { style: 'improvised' }, media: media(0.5) }),
];

describe('manifestStats', () => {
  const found = stats(rows);

  it('counts rows, labels, sound, speakers, dialogues, and what is outside the task', () => {
    expect(found).toMatchObject({
      utterances: 5,
      labelled: 4,
      seconds: 7.5,
      withSeconds: 4,
      speakers: 2,
      dialogues: 2,
      task: { name: '4class', rows: 3, excluded: { '(none)': 1, xxx: 1 } },
    });
  });

  it('tallies fields, most first, rows without a value last; fields that nobody has are left out', () => {
    expect(found.tallies.map((one) => one.name)).toEqual([
      'class',
      'label',
      'session',
      'speaker',
      'tags.style',
    ]);
    expect(found.tallies[0]?.counts).toEqual([
      { value: 'happy', rows: 2, seconds: 6 },
      { value: 'neutral', rows: 1, seconds: 1 },
      { value: '(none)', rows: 2, seconds: 0.5 },
    ]);
  });

  it('crosses class and session', () => {
    expect(found.classesBy).toEqual({
      field: 'session',
      classes: ['angry', 'happy', 'sad', 'neutral'],
      rows: [
        { value: 'Ses01', counts: [0, 1, 0, 1] },
        { value: 'Ses02', counts: [0, 1, 0, 0] },
      ],
    });
  });

  it('describes numbers as numpy does: mean, interpolated percentiles, bins', () => {
    const [duration, length, dialogue] = found.distributions;
    // numpy.percentile([0.5, 1, 2, 4], [50, 95, 99]) = 1.5, 3.7, 3.94
    expect(duration).toMatchObject({ name: 'duration', unit: 's', rows: 4, min: 0.5, max: 4, mean: 1.875 });
    expect(duration?.p50).toBeCloseTo(1.5, 12);
    expect(duration?.p95).toBeCloseTo(3.7, 12);
    expect(duration?.p99).toBeCloseTo(3.94, 12);
    expect(duration?.bins.slice(0, 4)).toEqual([
      { from: 0, to: 0.2, rows: 0 },
      { from: 0.2, to: 0.4, rows: 0 },
      { from: 0.4, to: 0.6, rows: 1 },
      { from: 0.6, to: 0.8, rows: 0 },
    ]);
    expect(duration?.bins.at(-1)).toEqual({ from: 3.8, to: 4, rows: 0 });
    expect(duration?.beyond).toBe(1);
    expect(length).toMatchObject({ rows: 5, min: 0, max: 3 });
    expect(length?.bins.map((bin) => bin.rows)).toEqual([1, 3, 0]);
    expect(length?.beyond).toBe(1);
    expect(dialogue).toMatchObject({ rows: 2, min: 1, max: 2 });
    for (const one of found.distributions) {
      expect(one.bins.reduce((sum, bin) => sum + bin.rows, one.beyond)).toBe(one.rows);
    }
  });

  it('says nothing of what is not known', () => {
    const bare = stats([row('d/a'), row('d/b')]);
    expect(bare.withSeconds).toBe(0);
    expect(bare.distributions.map((one) => one.name)).toEqual(['length']);
    expect(bare.classesBy).toBeNull();
    expect(stats([]).distributions).toEqual([]);
  });
});

describe('MELD', () => {
  const root = sharedData('meld');

  it.skipIf(root === undefined)('has the classes by split that the facts count', () => {
    const meld = loadCard(repositoryFile('manifests/meld.json'));
    const { utterances } = prepareMeld(root as string, { dataset: 'meld' });
    const task = findTask(meld, 'emotion7');
    const { classesBy } = manifestStats(utterances, task.name, applyTask(task, utterances));
    const table = Object.fromEntries(
      (classesBy?.rows ?? []).map(({ value, counts }) => [
        value,
        Object.fromEntries(counts.map((n, k) => [classesBy?.classes[k], n])),
      ]),
    );
    expect(table).toEqual({
      train: { neutral: 4710, joy: 1743, surprise: 1205, anger: 1109, sadness: 683, disgust: 271, fear: 268 },
      dev: { neutral: 470, joy: 163, surprise: 150, anger: 153, sadness: 111, disgust: 22, fear: 40 },
      test: { neutral: 1256, joy: 402, surprise: 281, anger: 345, sadness: 208, disgust: 68, fear: 50 },
    });
  });
});
