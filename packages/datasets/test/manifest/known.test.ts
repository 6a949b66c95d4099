import { describe, expect, it } from 'vitest';
import { Defect } from '../../src/manifest/card.ts';
import type { Finding } from '../../src/manifest/finding.ts';
import { markKnown } from '../../src/manifest/known.ts';

const finding = (id: string | null, changes: Partial<Finding> = {}): Finding => ({
  kind: 'media-missing',
  level: 'error',
  id,
  file: `clips/${id}.mp4`,
  line: null,
  expected: 'a readable recording',
  found: 'none',
  ...changes,
});
const defect = (changes: Partial<Defect>): Defect => ({
  kind: 'media-missing',
  count: 1,
  policy: 'keep',
  source: 'an issue',
  note: 'a note',
  ...changes,
});
const levels = (findings: readonly Finding[], defects: readonly Defect[]) =>
  markKnown(findings, defects).map((one) => [one.id, one.level]);

describe('markKnown', () => {
  it('marks the ids that a defect names, and no other', () => {
    expect(levels([finding('d/a'), finding('d/b')], [defect({ ids: ['d/b'] })])).toEqual([
      ['d/a', 'error'],
      ['d/b', 'known'],
    ]);
    const elsewhere = finding('d/b', { kind: 'media-empty' });
    expect(levels([elsewhere], [defect({ ids: ['d/b'] })])).toEqual([['d/b', 'error']]);
  });

  it('goes as far as the count: one more is not known', () => {
    const findings = ['d/c', 'd/a', 'd/b'].map((id) => finding(id));
    expect(levels(findings, [defect({ ids: ['d/*'], count: 2 })])).toEqual([
      ['d/a', 'known'],
      ['d/b', 'known'],
      ['d/c', 'error'],
    ]);
    expect(levels(findings, [defect({ count: 3 })]).map(([, level]) => level)).toEqual([
      'known',
      'known',
      'known',
    ]);
  });

  it('counts a finding for the first defect that fits and is not used up', () => {
    const findings = ['d/a', 'd/b', 'd/c'].map((id) => finding(id));
    const defects = [defect({ ids: ['d/a'] }), defect({ ids: ['d/*'] })];
    expect(levels(findings, defects)).toEqual([
      ['d/a', 'known'],
      ['d/b', 'known'],
      ['d/c', 'error'],
    ]);
  });

  it('takes files and wording as patterns too; dots and brackets stand for themselves', () => {
    const odd = finding(null, { file: 'test/final_videos_testdia1_utt0.mp4' });
    expect(levels([odd], [defect({ files: ['*/final_videos_test*.mp4'] })])).toEqual([[null, 'known']]);
    expect(levels([odd], [defect({ files: ['*/final_videos_test*xmp4'] })])).toEqual([[null, 'error']]);
    expect(levels([odd], [defect({ files: ['test/final_videos_testdia1_utt0xmp4'] })])).toEqual([
      [null, 'error'],
    ]);
    expect(levels([odd], [defect({ ids: ['*'] })])).toEqual([[null, 'error']]);
    const told = finding('d/a', { found: '3 of [these] (and more)' });
    expect(levels([told], [defect({ found: ['* of [these] (*'] })])).toEqual([['d/a', 'known']]);
    expect(levels([told], [defect({ found: ['* of t'] })])).toEqual([['d/a', 'error']]);
  });

  it('keeps the level of what nothing explains, and does not spend a defect on what is known already', () => {
    const findings = [finding('d/a', { level: 'known' }), finding('d/b', { level: 'warning' })];
    expect(levels(findings, [defect({ count: 1 })])).toEqual([
      ['d/a', 'known'],
      ['d/b', 'known'],
    ]);
    expect(markKnown(findings, undefined)).toEqual(findings);
  });
});

describe('Defect', () => {
  it('refuses a count below its ids, and an unknown kind', () => {
    const problem = (value: unknown) => Defect.safeParse(value).error?.issues.map((issue) => issue.message);
    expect(problem(defect({ ids: ['d/a', 'd/b'] }))).toEqual(['2 ids, but a count of 1']);
    expect(problem({ ...defect({}), kind: 'sun-spots' })?.[0]).toMatch(/^Invalid option/);
  });
});
