/** A token with what stands before it: pieces of one word abut, words keep their blank. */
export interface Piece {
  readonly text: string;
  readonly special: boolean;
}

/**
 * Cuts a text into its tokens; what lies between two tokens goes to the later one, what is left over to the last.
 * @param spans start and end of each token in UTF-16 units; equal for special tokens
 */
export function pieces(text: string, spans: readonly number[]): Piece[] {
  const found: { text: string; special: boolean }[] = [];
  let at = 0;
  let last = -1;
  for (let i = 0; i + 1 < spans.length; i += 2) {
    const start = spans[i] as number;
    const end = spans[i + 1] as number;
    if (start === end) {
      found.push({ text: '‹›', special: true });
      continue;
    }
    // byte-level tokens of one character may share its span
    found.push({ text: text.slice(Math.min(at, start), end) || text.slice(start, end), special: false });
    last = found.length - 1;
    at = Math.max(at, end);
  }
  const rest = found[last];
  if (rest !== undefined && at < text.length) rest.text += text.slice(at);
  return found;
}

/** A weight of attention as people read it. */
export const weight = (value: number): string => (value === 0 ? '0' : value.toPrecision(2));
