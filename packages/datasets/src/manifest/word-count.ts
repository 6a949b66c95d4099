/** Scripts that put no blanks between words. */
const UNSPACED =
  /(?:\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Thai}|\p{Script=Lao}|\p{Script=Khmer}|\p{Script=Myanmar}|ー)+/gu;
/** Their punctuation, which stands without blanks too: CJK symbols, full-width forms. */
const WIDE_MARKS = /[\u3000-\u3004\u3008-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]+/gu;
/** Chinese and Japanese words have about so many characters. */
const CHARACTERS_PER_WORD = 2;

/**
 * Words of a text: what stands between blanks; in scripts without blanks each two characters, so that lengths and the least length of a
 * leaked text mean the same in Chinese, Japanese or Thai.
 */
export function countWords(text: string): number {
  let unspaced = 0;
  const rest = text.replaceAll(WIDE_MARKS, ' ').replaceAll(UNSPACED, (run) => {
    unspaced += Math.ceil((run.match(/\P{M}/gu) ?? []).length / CHARACTERS_PER_WORD);
    return ' ';
  });
  return unspaced + rest.split(' ').filter((word) => word !== '').length;
}
