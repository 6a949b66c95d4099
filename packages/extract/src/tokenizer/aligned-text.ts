/** One character (code point) of a normalised text, and the stretch of the text that it came from, in UTF-16 units. */
export interface AlignedCharacter {
  readonly char: string;
  readonly start: number;
  readonly end: number;
}

/** The characters of a text as they are. @param offset of the text in a longer one */
export function alignCharacters(text: string, offset = 0): AlignedCharacter[] {
  let at = offset;
  return Array.from(text, (char) => {
    const start = at;
    at += char.length;
    return { char, start, end: at };
  });
}

/** A token of the added vocabulary, as tokenizer.json has it. */
export interface AddedToken {
  readonly content: string;
  /** It swallows the white space before and after it. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
}

/** A stretch between the added tokens of a text, or one of these. */
export interface TextSegment {
  readonly start: number;
  readonly end: number;
  readonly added: boolean;
}

/** Cuts a text at its added tokens, the longest first: they are looked for before anything is normalised. */
export function segmentsOf(text: string, added: Iterable<AddedToken>): TextSegment[] {
  const tokens = [...added].sort((a, b) => b.content.length - a.content.length);
  const segments: TextSegment[] = [];
  let from = 0;
  let at = 0;
  while (at < text.length) {
    const token = tokens.find(({ content }) => content !== '' && text.startsWith(content, at));
    if (token === undefined) {
      at++;
      continue;
    }
    let [start, end] = [at, at + token.content.length];
    while (token.lstrip && start > from && /\s/u.test(text[start - 1] as string)) start--;
    while (token.rstrip && end < text.length && /\s/u.test(text[end] as string)) end++;
    if (start > from) segments.push({ start: from, end: start, added: false });
    segments.push({ start, end, added: true });
    from = end;
    at = end;
  }
  if (from < text.length) segments.push({ start: from, end: text.length, added: false });
  return segments;
}
