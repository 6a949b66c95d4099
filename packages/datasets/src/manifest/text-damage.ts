/** What a text should have been, and what is broken in it. */
export interface TextDamage {
  readonly expected: string;
  readonly found: string;
}

const CONTROL = /[\p{Cc}\p{Cs}]/u;
const REPLACEMENT = '\uFFFD';

/** Characters that the bytes 0x80..0xBF are in windows-1252; those that have none there stay C1 controls. */
const CONTINUATION =
  '[\\u0080-\\u00BF\\u20AC\\u201A\\u0192\\u201E\\u2026\\u2020\\u2021\\u02C6\\u2030\\u0160\\u2039\\u0152\\u017D' +
  '\\u2018\\u2019\\u201C\\u201D\\u2022\\u2013\\u2014\\u02DC\\u2122\\u0161\\u203A\\u0153\\u017E\\u0178]';

/**
 * UTF-8 that was read as windows-1252 (or Latin-1). Only first bytes whose characters hardly ever stand before the
 * second byte's character in a text are looked at: `Ã©`, `Å‚`, `Ð°`, `â€™`, `ï»¿`, `ðŸ˜€`.
 */
const MOJIBAKE = new RegExp(
  `[ÂÃÄÅÐÑ]${CONTINUATION}|â[\\u0080\\u20AC]${CONTINUATION}|ï[»¿]${CONTINUATION}|ð[\\u009F\\u0178]${CONTINUATION}{2}`,
  'u',
);

/**
 * What is broken in a normalised text: characters that no text has (controls, halves of surrogate pairs), the
 * replacement character, UTF-8 that was read as another encoding.
 * @returns the first thing found; null for a sound text
 */
export function brokenText(text: string): TextDamage | null {
  const control = CONTROL.exec(text)?.[0];
  if (control !== undefined) {
    return { expected: 'no control characters', found: `${codePoint(control)} in ${excerpt(text, control)}` };
  }
  if (text.includes(REPLACEMENT)) {
    const expected = 'no replacement characters';
    return { expected, found: `${codePoint(REPLACEMENT)} in ${excerpt(text, REPLACEMENT)}` };
  }
  const garbled = MOJIBAKE.exec(text)?.[0];
  if (garbled === undefined) return null;
  return { expected: 'text in one encoding', found: `'${garbled}' in ${excerpt(text, garbled)}` };
}

const AROUND = 20;

/** Some characters around what was found, controls as escapes. */
function excerpt(text: string, found: string): string {
  const at = text.indexOf(found);
  const from = Math.max(0, at - AROUND);
  const to = Math.min(text.length, at + found.length + AROUND);
  const shown = `${from > 0 ? '..' : ''}${text.slice(from, to)}${to < text.length ? '..' : ''}`;
  return `'${shown.replaceAll(/[\p{Cc}\p{Cs}]/gu, (one) => codePoint(one))}'`;
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}`;
}
