import { describe, expect, it } from 'vitest';
import { countWords } from '../../src/manifest/word-count.ts';

describe('countWords', () => {
  it.each([
    ['', 0],
    ['  so   what ', 2],
    ["I don't - know", 4],
    ['我们明天再谈这件事吧。', 5],
    ['我们明天，再谈', 3],
    ['ok 我们 go', 3],
    ['カレーを食べました！', 5],
    ['ผมไม่รู้', 3],
    ['왜 그래 정말', 3],
  ])('%j has %d', (text, words) => expect(countWords(text)).toBe(words));
});
