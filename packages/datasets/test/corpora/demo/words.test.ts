import { describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { AROUSAL_WORDS, improviseText, scriptText, VALENCE_WORDS } from '../../../src/corpora/demo/words.ts';

const lists = [VALENCE_WORDS.positive, VALENCE_WORDS.negative, AROUSAL_WORDS.high, AROUSAL_WORDS.low];
const wordsOf = (text: string) => text.toLowerCase().match(/[a-z]+/g) ?? [];
const cues = (valence: boolean, arousal: boolean) => ({ valence, arousal });

describe('cue words', () => {
  it('are as long on one side as on the other, and on one side only', () => {
    const lengths = (list: readonly string[]) => list.map((word) => word.length);
    expect(lengths(VALENCE_WORDS.positive)).toEqual(lengths(VALENCE_WORDS.negative));
    expect(lengths(AROUSAL_WORDS.high)).toEqual(lengths(AROUSAL_WORDS.low));
    expect(new Set(lists.flat()).size).toBe(lists.flat().length);
    for (const list of lists) expect(list.length).toBeGreaterThanOrEqual(10);
  });
});

describe('improviseText and scriptText', () => {
  it.each([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])('shows valence %s and arousal %s in every clause, and no other cue word', (valence, arousal) => {
    const shown = new Set([
      ...(valence ? VALENCE_WORDS.positive : VALENCE_WORDS.negative),
      ...(arousal ? AROUSAL_WORDS.high : AROUSAL_WORDS.low),
    ]);
    for (let seed = 0; seed < 50; seed++) {
      const { text, clauses } = improviseText(new Rng(seed), cues(valence, arousal));
      const found = wordsOf(text).filter((word) => lists.some((list) => list.includes(word)));
      expect(found).toHaveLength(2 * clauses.length);
      expect(new Set(found).size).toBe(found.length);
      expect(found.every((word) => shown.has(word))).toBe(true);
    }
  });

  it('has the same length for every cue when all else is equal', () => {
    for (let seed = 0; seed < 50; seed++) {
      const all = [cues(true, true), cues(true, false), cues(false, true), cues(false, false)];
      const lengths = all.map((one) => improviseText(new Rng(seed), one).text.length);
      expect(new Set(lengths).size).toBe(1);
    }
  });

  it('writes sentences, sometimes with a tag, script lines without', () => {
    const texts = Array.from({ length: 300 }, (_, seed) => improviseText(new Rng(seed), cues(true, true)));
    const tagged = texts.filter(({ text }) => text.includes('['));
    expect(tagged.length / 300).toBeGreaterThan(0.02);
    expect(tagged.length / 300).toBeLessThan(0.12);
    for (const { text, clauses } of texts) {
      const plain = text.replaceAll(/ ?\[[A-Za-z]+\] ?/g, '');
      expect(plain).toMatch(/^([A-Z][A-Za-z, ]*\.)( [A-Z][A-Za-z, ]*\.)+$/);
      expect(wordsOf(plain)).toHaveLength(clauses.reduce((sum, words) => sum + words, 0));
    }
    const lines = Array.from({ length: 50 }, (_, seed) =>
      scriptText(new Rng(seed), cues(seed % 2 === 0, true)),
    );
    expect(new Set(lines.map(({ text }) => wordsOf(text).length))).toEqual(new Set([11]));
    expect(lines.some(({ text }) => text.includes('['))).toBe(false);
  });
});
