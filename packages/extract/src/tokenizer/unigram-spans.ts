import { type AddedToken, type AlignedCharacter, segmentsOf } from './aligned-text.ts';
import { SPACE_CLASS } from './byte-level.ts';
import type { CharactersMap } from './characters-map.ts';

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
 * Where the tokens of a unigram tokenizer lie in the text, as Hugging Face's tokenizers give their offsets.
 *
 * @param tokens their surfaces in order, without those that a post-processor put around the text
 * @returns start and end of each token, in UTF-16 units
 * @throws when the tokens do not spell the text
 */
export function unigramSpans(text: string, tokens: readonly string[], rules: UnigramRules): Int32Array {
  const spans = new Int32Array(2 * tokens.length);
  let token = 0;
  const give = (start: number, end: number): void => {
    spans[2 * token] = start;
    spans[2 * token + 1] = end;
    token++;
  };
  for (const segment of segmentsOf(text, rules.added)) {
    if (segment.added) {
      if (token < tokens.length) give(segment.start, segment.end);
      continue;
    }
    const characters = marked(rules, rules.map.align(text.slice(segment.start, segment.end), segment.start));
    for (let at = 0; at < characters.length && token < tokens.length;) {
      const piece = tokens[token] as string;
      const length = Array.from(piece).length;
      const [first, last] = [characters[at], characters[at + length - 1]];
      if (first === undefined || last === undefined || first.char !== Array.from(piece)[0])
        throw new Error(`token ${JSON.stringify(piece)} does not fit into ${JSON.stringify(text)}`);
      give(first.start, last.end);
      at += length;
    }
  }
  if (token < tokens.length)
    throw new Error(`${tokens.length - token} tokens are left of ${JSON.stringify(text)}`);
  return spans;
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
