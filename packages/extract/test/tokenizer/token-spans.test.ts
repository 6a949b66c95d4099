import { describe, expect, it } from 'vitest';
import { spellBytes } from '../../src/tokenizer/byte-level.ts';
import { tokenSpans } from '../../src/tokenizer/token-spans.ts';

const MASK = new Map([
  ['<mask>', { content: '<mask>', lstrip: true, rstrip: false }],
  ['<x>', { content: '<x>', lstrip: false, rstrip: true }],
]);
const spans = (text: string, tokens: string[]): number[] => [...tokenSpans(text, tokens, MASK)];

describe('tokenSpans', () => {
  it('leaves out the space that begins a token', () => {
    expect(spans('oh my  god', ['oh', 'Ġmy', 'Ġ', 'Ġgod'])).toEqual([0, 2, 3, 5, 6, 6, 7, 10]);
  });

  it('covers whole characters, in UTF-16 units', () => {
    const [a, b, c, d] = spellBytes('😀') as unknown as string[];
    expect(spans('😀!', [`${a}${b}`, `${c}${d}`, '!'])).toEqual([0, 2, 0, 2, 2, 3]);
  });

  it('finds added tokens with the white space that they swallow', () => {
    expect(spans('so \t<mask>.', ['so', '<mask>', '.'])).toEqual([0, 2, 4, 10, 10, 11]);
    expect(spans('<x>  so', ['<x>', 'so'])).toEqual([0, 3, 5, 7]);
  });

  it('refuses tokens that do not spell the text', () => {
    expect(() => spans('ab', ['abc'])).toThrow('token "abc" reaches past the end of "ab"');
    expect(() => spans('ab', ['<mask>'])).toThrow('<mask> does not follow at 0 in "ab"');
  });
});
