import type { AddedToken, AlignedCharacter } from './aligned-text.ts';
import { SPACE_CLASS } from './byte-level.ts';
import type { CharactersMap } from './characters-map.ts';
import { pieceSpans } from './piece-spans.ts';

/** SentencePiece's sign of a blank, which begins words. */
const BLANK = '\u2581';

/** What the tokens of a SentencePiece unigram model are made of. */
export interface UnigramRules {
  readonly map: CharactersMap;
  /** Several blanks become one, after the table of characters. */
  readonly joinsBlanks: boolean;
  /** White space separates words and is gone, instead of standing at their beginning. */
  readonly splitsWords: boolean;
  readonly added: readonly AddedToken[];
}

/**
 * Where the tokens of a unigram tokenizer lie in the text. Parameters, result and errors: see `pieceSpans`.
 *
 * @param tokens their surfaces
 */
export function unigramSpans(text: string, tokens: readonly string[], rules: UnigramRules): Int32Array {
  return pieceSpans(text, tokens, {
    added: rules.added,
    words: (part, offset) => [marked(rules, rules.map.align(part, offset))],
    covered(token, word, at) {
      const characters = Array.from(token);
      return word[at]?.char === characters[0] ? characters.length : undefined;
    },
  });
}

/** With the sign before each word, which stands where the blank was, or with the word's first character. */
function marked(
  { joinsBlanks, splitsWords }: UnigramRules,
  characters: AlignedCharacter[],
): AlignedCharacter[] {
  const blank = ({ char }: AlignedCharacter): boolean =>
    splitsWords ? SPACE_CLASS.test(char) : char === ' ';
  if (splitsWords) {
    return characters.flatMap((character, i) => {
      if (blank(character)) return [];
      const before = characters[i - 1];
      const begins = before === undefined || blank(before);
      return begins && character.char !== BLANK ? [{ ...character, char: BLANK }, character] : [character];
    });
  }
  const joined = joinsBlanks
    ? characters.filter((one, i) => !(one.char === ' ' && characters[i + 1]?.char === ' '))
    : characters;
  const out = joined.map((one) => (blank(one) ? { ...one, char: BLANK } : one));
  const [first] = out;
  return first === undefined || first.char === BLANK ? out : [{ ...first, char: BLANK }, ...out];
}
