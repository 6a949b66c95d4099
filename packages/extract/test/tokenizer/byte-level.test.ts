import { describe, expect, it } from 'vitest';
import { BYTE_CHARACTERS, byteLevelPieces, spellBytes } from '../../src/tokenizer/byte-level.ts';

describe('BYTE_CHARACTERS', () => {
  it('gives each byte a character of its own', () => {
    expect(new Set(BYTE_CHARACTERS).size).toBe(256);
    expect(spellBytes('A z')).toBe('AĠz');
    expect(spellBytes('\n')).toBe('Ċ');
    expect(spellBytes('é')).toBe('Ã©');
  });
});

describe('byteLevelPieces', () => {
  it('cuts at contractions, words, numbers and signs, the space going with what follows', () => {
    expect(byteLevelPieces("I'll pay 50 dollars!!  ok")).toEqual(
      ['I', "'ll", ' pay', ' 50', ' dollars', '!!', ' ', ' ok'].map(spellBytes),
    );
  });

  it("has Unicode's idea of white space", () => {
    expect(byteLevelPieces('a\u0085b')).toHaveLength(3);
    expect(byteLevelPieces('\ufeffa')).toEqual([spellBytes('\ufeff'), 'a']);
  });
});
