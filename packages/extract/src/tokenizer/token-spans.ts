import { SPACE_CHARACTER, SPACE_CLASS } from './byte-level.ts';

/** How a token of the added vocabulary (`<mask>`, ...) is found in a text. */
export interface AddedTokenRule {
  readonly content: string;
  /** It swallows the white space after it (what it swallows before it is skipped in any case). */
  readonly rstrip: boolean;
}

/**
 * Where the tokens of a byte-level tokenizer lie in the text, as Hugging Face's tokenizers give their offsets
 * with `trim_offsets`: the space that begins a token is left out, and a token that holds part of a character's
 * bytes covers the whole character.
 *
 * @param tokens tokens of the text in order, without those that a post-processor put around it
 * @param added the added vocabulary by content
 * @returns start and end of each token, in UTF-16 units
 * @throws when the tokens do not spell the text
 */
export function tokenSpans(
  text: string,
  tokens: readonly string[],
  added: ReadonlyMap<string, AddedTokenRule>,
): Int32Array {
  const { starts, ends } = characterBounds(text);
  const spans = new Int32Array(2 * tokens.length);
  let byte = 0;
  tokens.forEach((token, index) => {
    let start: number;
    let end: number;
    const rule = added.get(token);
    if (rule !== undefined) {
      let next: number;
      ({ start, end, next } = addedSpan(text, starts[byte] ?? text.length, rule));
      while (byte < starts.length && (starts[byte] as number) < next) byte++;
    } else {
      const last = byte + token.length - 1;
      if (last >= starts.length) {
        throw new Error(`token ${JSON.stringify(token)} reaches past the end of ${JSON.stringify(text)}`);
      }
      start = starts[byte] as number;
      end = ends[last] as number;
      byte = last + 1;
      [start, end] = trimmed(token, start, end);
    }
    spans[2 * index] = start;
    spans[2 * index + 1] = end;
  });
  return spans;
}

/** For each UTF-8 byte of a text: the UTF-16 offsets at which its character starts and ends. */
function characterBounds(text: string): { starts: Int32Array; ends: Int32Array } {
  const size = Buffer.byteLength(text, 'utf8');
  const starts = new Int32Array(size);
  const ends = new Int32Array(size);
  let byte = 0;
  let unit = 0;
  for (const character of text) {
    const bytes = Buffer.byteLength(character, 'utf8');
    starts.fill(unit, byte, byte + bytes);
    unit += character.length;
    ends.fill(unit, byte, byte + bytes);
    byte += bytes;
  }
  return { starts, ends };
}

/** The content alone; `next` is where the text goes on, past white space that the token swallows. */
function addedSpan(
  text: string,
  from: number,
  rule: AddedTokenRule,
): { start: number; end: number; next: number } {
  const start = text.indexOf(rule.content, from);
  if (start < 0) throw new Error(`${rule.content} does not follow at ${from} in ${JSON.stringify(text)}`);
  const end = start + rule.content.length;
  let next = end;
  while (rule.rstrip && next < text.length && SPACE_CLASS.test(text[next] as string)) next++;
  return { start, end, next };
}

function trimmed(token: string, start: number, end: number): [number, number] {
  let leading = 0;
  while (token[leading] === SPACE_CHARACTER) leading++;
  let trailing = 0;
  while (token[token.length - 1 - trailing] === SPACE_CHARACTER) trailing++;
  const from = Math.min(start + leading, end);
  return [from, end >= trailing ? Math.max(end - trailing, from) : end];
}
