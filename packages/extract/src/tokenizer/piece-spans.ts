import { type AddedToken, type AlignedCharacter, segmentsOf } from './aligned-text.ts';

/** How a kind of tokenizer makes tokens of a text without added tokens. */
export interface Pieces {
  readonly added: readonly AddedToken[];
  /** Its characters as the model sees them, in the stretches that no token crosses. @param offset of the text in the whole one */
  words(text: string, offset: number): AlignedCharacter[][];
  /** Characters of a word that a token covers from `at` on; undefined where it does not stand there. */
  covered(token: string, word: readonly AlignedCharacter[], at: number): number | undefined;
}

/**
 * Where tokens lie in a text, as Hugging Face's tokenizers give their offsets.
 *
 * @param tokens in order, without those that a post-processor put around the text; those of a truncated text may end early
 * @returns start and end of each token, in UTF-16 units
 * @throws when the tokens do not spell the text
 */
export function pieceSpans(text: string, tokens: readonly string[], pieces: Pieces): Int32Array {
  const spans = new Int32Array(2 * tokens.length);
  let token = 0;
  const give = (start: number, end: number): void => {
    spans[2 * token] = start;
    spans[2 * token + 1] = end;
    token++;
  };
  for (const { start, end, added } of segmentsOf(text, pieces.added)) {
    if (token === tokens.length) break;
    if (added) {
      give(start, end);
      continue;
    }
    for (const word of pieces.words(text.slice(start, end), start)) {
      for (let at = 0; at < word.length && token < tokens.length;) {
        const piece = tokens[token] as string;
        const length = pieces.covered(piece, word, at);
        const [first, last] = length === undefined ? [] : [word[at], word[at + length - 1]];
        if (length === undefined || first === undefined || last === undefined)
          throw new Error(`token ${JSON.stringify(piece)} does not fit into ${JSON.stringify(text)}`);
        give(first.start, last.end);
        at += length;
      }
    }
  }
  if (token < tokens.length)
    throw new Error(`${tokens.length - token} tokens are left of ${JSON.stringify(text)}`);
  return spans;
}
