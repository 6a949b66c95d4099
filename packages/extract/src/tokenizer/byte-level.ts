/**
 * GPT-2's byte-level alphabet: each of the 256 bytes as one printable character, so that every text is
 * made of known symbols and nothing is ever unknown. Printable Latin-1 stands for itself, the rest is
 * moved to U+0100 and up in byte order (openai/gpt-2, encoder.py, bytes_to_unicode).
 */
export const BYTE_CHARACTERS: readonly string[] = byteCharacters();

function byteCharacters(): string[] {
  let moved = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable =
      (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
    return String.fromCharCode(printable ? byte : moved++);
  });
}

/** The character of the space, which begins most tokens: `Ġ`. */
export const SPACE_CHARACTER = BYTE_CHARACTERS[0x20] as string;

/** Unicode's White_Space, as the reference's regular expressions have it: JavaScript's `\s` lacks U+0085 and adds U+FEFF. */
const SPACE = String.raw`\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000`;

/** GPT-2's pattern that cuts a text into pieces; no token crosses a piece's border. */
export const PIECE_PATTERN = new RegExp(
  String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^${SPACE}\p{L}\p{N}]+|[${SPACE}]+(?![^${SPACE}])|[${SPACE}]+`,
  'gu',
);

/** Characters that a token with `lstrip` or `rstrip` swallows beside it. */
export const SPACE_CLASS = new RegExp(`[${SPACE}]`, 'u');

/** What lies between white space. */
export const WORD = new RegExp(`[^${SPACE}]+`, 'gu');

/** The pieces of a text, spelled in byte characters. */
export function byteLevelPieces(text: string): string[] {
  return (text.match(PIECE_PATTERN) ?? []).map(spellBytes);
}

/** UTF-8 bytes of a text, one character each. */
export function spellBytes(text: string): string {
  let spelled = '';
  for (const byte of Buffer.from(text, 'utf8')) spelled += BYTE_CHARACTERS[byte] as string;
  return spelled;
}
