import { UserError } from '../base/errors.ts';
import { repairC1 } from '../base/windows-1252.ts';

/** Raised when `normaliseText` or `applyTextTags` changes; part of what a manifest records. */
export const TEXT_NORMALISATION = 1;

/**
 * Text normalisation, version 1: C1 controls are windows-1252 bytes that were read as Latin-1, and become the
 * characters that those bytes mean (U+0092 -> U+2019); no-break space becomes a space; white space is collapsed
 * and trimmed; NFC. Typographic quotes and tags such as `[LAUGHTER]` stay.
 */
export function normaliseText(raw: string): string {
  return repairC1(raw).replaceAll(/\s+/g, ' ').trim().normalize('NFC');
}

/**
 * What becomes of transcribers' tags such as `[LAUGHTER]` and `[BREATHING]`: they stay, go, or those that the map
 * lists (in upper case) are replaced by words, nothing for the empty string, and the others stay.
 */
export type TextTags = 'keep' | 'drop' | { readonly map: Readonly<Record<string, string>> };

/** One or more words in brackets, upper or lower case: `[LAUGHTER]`, `[laughter]`, `[DOOR SLAM]`. */
const TAG = /(\s*)\[([A-Za-z]+(?:[ _-][A-Za-z]+)*)\](?=([,.;:!?\u2026])?)/g;

/**
 * Applies the policy to normalised text. A tag that goes takes the space before it along where punctuation follows
 * (`Well [LAUGHTER], no.` becomes `Well, no.`).
 */
export function applyTextTags(text: string, tags: TextTags): string {
  if (tags === 'keep') return text;
  const replaced = text.replaceAll(TAG, (whole, space: string, name: string, punctuation?: string) => {
    const words = tags === 'drop' ? '' : tags.map[name.toUpperCase()];
    if (words === undefined) return whole;
    if (words === '') return punctuation === undefined ? ' ' : '';
    return space + words;
  });
  return normaliseText(replaced);
}

/**
 * Reads `keep`, `drop` or `map:LAUGHTER=haha,BREATHING=` (nothing behind the sign: that tag goes).
 * @throws UserError that says what was expected.
 */
export function parseTextTags(argument: string): TextTags {
  if (argument === 'keep' || argument === 'drop') return argument;
  const form = `expected keep, drop or map:TAG=words,TAG=words, found '${argument}'`;
  if (!argument.startsWith('map:')) throw new UserError(`text tags: ${form}`);
  const pairs = argument
    .slice('map:'.length)
    .split(',')
    .map((pair) => /^\s*\[?([A-Za-z]+(?:[ _-][A-Za-z]+)*)\]?\s*=(.*)$/.exec(pair));
  const wrong = pairs.includes(null);
  if (wrong) throw new UserError(`text tags: ${form}`);
  const map = pairs.map((pair) => [(pair?.[1] ?? '').toUpperCase(), (pair?.[2] ?? '').trim()] as const);
  return { map: Object.fromEntries(map.sort(([a], [b]) => (a < b ? -1 : 1))) };
}
