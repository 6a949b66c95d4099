import { diffManifests, type Utterance } from '@lsgmer/datasets';
import { describe, expect, it } from 'vitest';
import { diffText } from '../../src/commands/manifest-diff.ts';

const row = (id: string, rawLabel: string): Utterance => ({
  id,
  dataset: 'd',
  split: null,
  session: null,
  dialogue: null,
  turn: null,
  speaker: null,
  rawLabel,
  annotations: [],
  text: '',
  rawText: '',
  textSource: 'corpus',
  media: null,
  tags: {},
});
const before = [row('d/a', 'neu'), row('d/b', 'neu'), row('d/c', 'ang')];
const after = [
  row('d/a', 'sad'),
  row('d/c', 'ang'),
  ...Array.from({ length: 12 }, (_, i) => row(`d/n${i}`, 'x')),
];

describe('diffText', () => {
  const found = diffManifests(before, after);

  it('counts, lists labels, then rows', () => {
    const lines = diffText('old', 'new', found, false).split('\n');
    expect(lines.slice(0, 2)).toEqual([
      'old: 3 rows; new: 14 rows',
      '12 added, 1 removed, 1 changed, 1 unchanged',
    ]);
    expect(lines.join('\n')).toMatch(/neu\s+sad\s+1/);
    expect(lines).toContain('  d/b');
    expect(lines).toContain('  d/a: rawLabel "neu" -> "sad"');
    expect(lines).toContain('  ... and 2 more (--all lists them, --json gives data)');
  });

  it('lists every row on request', () => {
    const text = diffText('old', 'new', found, true);
    expect(text).toContain('  d/n11');
    expect(text).not.toContain('more (--all');
  });

  it('says only the counts of equals', () => {
    expect(diffText('a', 'b', diffManifests(before, before), false)).toBe(
      'a: 3 rows; b: 3 rows\n0 added, 0 removed, 0 changed, 3 unchanged',
    );
  });
});
