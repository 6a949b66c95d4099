import { type AddedToken, type AlignedCharacter, alignCharacters } from './aligned-text.ts';
import { pieceSpans } from './piece-spans.ts';

/** Settings of tokenizer.json's BertNormalizer. */
export interface BertNormalisation {
  readonly clean_text?: boolean;
  readonly handle_chinese_chars?: boolean;
  /** As `lowercase` where it is null. */
  readonly strip_accents?: boolean | null;
  readonly lowercase?: boolean;
}

/** What the tokens of a WordPiece model are made of. */
export interface WordPieceRules {
  readonly normalisation: BertNormalisation;
  readonly unknown: string;
  /** `##`, before the pieces that continue a word. */
  readonly continuing: string;
  readonly added: readonly AddedToken[];
}

/** Where the tokens of a WordPiece tokenizer lie in the text. Parameters, result and errors: see `pieceSpans`. */
export function wordPieceSpans(text: string, tokens: readonly string[], rules: WordPieceRules): Int32Array {
  return pieceSpans(text, tokens, {
    added: rules.added,
    words: (part, offset) => wordsOf(normalised(part, offset, rules.normalisation)),
    covered: (token, word, at) =>
      token === rules.unknown ? word.length : lengthOf(token, rules.continuing, at > 0),
  });
}

function lengthOf(piece: string, continuing: string, inside: boolean): number {
  return Array.from(inside && piece.startsWith(continuing) ? piece.slice(continuing.length) : piece).length;
}

/** Cleaned, with blanks around Chinese characters, without accents, in lower case: whatever is set. */
function normalised(
  text: string,
  offset: number,
  {
    clean_text = true,
    handle_chinese_chars = true,
    strip_accents = null,
    lowercase = true,
  }: BertNormalisation,
): AlignedCharacter[] {
  const stripped = strip_accents ?? lowercase;
  return alignCharacters(text, offset).flatMap(({ char, start, end }) => {
    let chars = char;
    if (clean_text) {
      if (isControl(char)) return [];
      if (/\s/u.test(char)) chars = ' ';
    }
    if (handle_chinese_chars && isChinese(char)) chars = ` ${char} `;
    if (stripped) chars = chars.normalize('NFD').replace(/\p{Mn}/gu, '');
    if (lowercase) chars = chars.toLowerCase();
    return Array.from(chars, (one) => ({ char: one, start, end }));
  });
}

/** Words are what white space separates; each sign of punctuation is a word. */
function wordsOf(characters: readonly AlignedCharacter[]): AlignedCharacter[][] {
  const words: AlignedCharacter[][] = [];
  let word: AlignedCharacter[] = [];
  const close = (): void => {
    if (word.length > 0) words.push(word);
    word = [];
  };
  for (const character of characters) {
    if (/\s/u.test(character.char)) close();
    else if (isPunctuation(character.char)) {
      close();
      words.push([character]);
    } else word.push(character);
  }
  close();
  return words;
}

function isControl(char: string): boolean {
  if (char === '\t' || char === '\n' || char === '\r') return false;
  return char === '\0' || char === '\uFFFD' || /\p{C}/u.test(char);
}

/** ASCII's signs and Unicode's punctuation. */
function isPunctuation(char: string): boolean {
  return /[!-/:-@[-`{-~]|\p{P}/u.test(char);
}

/** The CJK ideographs, as BERT has them. */
function isChinese(char: string): boolean {
  return /[\u{4E00}-\u{9FFF}\u{3400}-\u{4DBF}\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B920}-\u{2CEAF}\u{F900}-\u{FAFF}\u{2F800}-\u{2FA1F}]/u.test(
    char,
  );
}
