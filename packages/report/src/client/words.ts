import type { AttentionSteps } from '../explorer/format.ts';
import { fromBase64 } from './data.ts';
import { element } from './dom.ts';
import { type Piece, pieces, weight } from './pieces.ts';

/** The text once for each label, and once for cross attention, with a bar under every token. */
export function wordRows(
  text: string | null,
  spans: readonly number[] | null,
  steps: AttentionSteps,
  classes: readonly string[],
): HTMLElement[] {
  const tokens =
    text === null || spans === null
      ? Array.from({ length: steps.n }, (_, i): Piece => ({ text: ` ${i + 1}`, special: true }))
      : pieces(text, spans);
  const rows: HTMLElement[] = [];
  if (steps.label !== null) {
    const values = fromBase64(steps.label);
    classes.forEach((name, k) =>
      rows.push(
        wordRow(
          `label ${name}`,
          steps.labelMax[k] ?? 0,
          tokens,
          values.subarray(k * steps.n, (k + 1) * steps.n),
        ),
      ),
    );
  }
  if (steps.cross !== null)
    rows.push(wordRow('cross-modal: from the frames', steps.crossMax, tokens, fromBase64(steps.cross)));
  return rows;
}

function wordRow(name: string, max: number, tokens: readonly Piece[], values: Uint8Array): HTMLElement {
  const strongest = tokens[values.indexOf(255)]?.text.trim() ?? '';
  return element(
    'div',
    { class: 'words-row' },
    element('div', { class: 'name' }, name, element('small', {}, `tallest bar: ${weight(max)}`)),
    element(
      'div',
      { role: 'group', 'aria-label': `${name}: most on ${strongest}, ${weight(max)}` },
      ...tokens.map(({ text, special }, i) => {
        const share = (values[i] ?? 0) / 255;
        const bar = element('i', {});
        bar.style.height = `${Math.round(20 * share)}px`;
        return element(
          'span',
          { class: special ? 'token special' : 'token', title: `${text.trim()}: ${weight(share * max)}` },
          text,
          element('span', { class: 'bar', 'aria-hidden': 'true' }, bar),
        );
      }),
    ),
  );
}
