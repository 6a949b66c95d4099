import { expect, it } from 'vitest';
import { DARK, LIGHT, resolveVariables, seriesColour, TEXT_SWITCH } from '../../src/page/palette.ts';

type Colour = readonly number[];
const rgb = (hex: string): Colour => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
const linear = (colour: Colour): number[] =>
  colour.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
/** WCAG 2.2. */
function contrast(a: Colour, b: Colour): number {
  const luminance = (colour: Colour): number => {
    const [r, g, bl] = linear(colour) as [number, number, number];
    return 0.2126 * r + 0.7152 * g + 0.0722 * bl;
  };
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

/** Machado et al. (2009), full deuteranopia and protanopia, on linear light. */
const BLIND = {
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
};
const seen = (colour: Colour, matrix: readonly Colour[]): number[] => {
  const light = linear(colour);
  return matrix.map((row) => {
    const v = Math.min(
      1,
      Math.max(
        0,
        row.reduce((sum, x, i) => sum + x * (light[i] as number), 0),
      ),
    );
    return v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055;
  });
};

for (const [mode, palette] of Object.entries({ light: LIGHT, dark: DARK })) {
  it(`${mode}: text has a contrast of 4.5 and more to what it stands on`, () => {
    const on = (text: string, paper: string): number => contrast(rgb(text), rgb(paper));
    for (const text of [palette.ink, palette.soft, palette.mark, palette.warn, ...palette.series])
      expect(on(text, palette.paper), text).toBeGreaterThanOrEqual(4.5);
    for (const text of [palette.ink, palette.warn])
      expect(on(text, palette.warnPaper), text).toBeGreaterThanOrEqual(4.5);
    for (const text of [palette.onLow, palette.series[1], palette.series[2]])
      expect(on(text as string, palette.low), text).toBeGreaterThanOrEqual(4.5);
  });

  it(`${mode}: numbers in a matrix can be read on every shade`, () => {
    const [low, high] = [rgb(palette.low), rgb(palette.high)];
    for (let s = 0; s <= 1; s += 0.01) {
      const shade = low.map((v, i) => v + s * ((high[i] as number) - v));
      const text = rgb(s > TEXT_SWITCH ? palette.onHigh : palette.onLow);
      expect(contrast(shade, text), `strength ${s.toFixed(2)}`).toBeGreaterThan(4.3);
    }
  });

  it(`${mode}: all series stay apart for colour-blind readers`, () => {
    for (const [kind, matrix] of Object.entries(BLIND)) {
      const colours = palette.series.map((hex) => seen(rgb(hex), matrix));
      colours.forEach((a, i) =>
        colours.slice(i + 1).forEach((b, j) => {
          const distance = Math.hypot(...a.map((v, k) => v - (b[k] as number)));
          expect(distance, `${kind}: series ${i + 1} and ${i + j + 2}`).toBeGreaterThan(0.2);
        }),
      );
    }
  });
}

it('puts values in the place of variables, and leaves unknown ones', () => {
  expect(resolveVariables('a var(--ink) var(--on-high) var(--series-2) var(--x)', LIGHT)).toBe(
    'a #1b1f24 #ffffff #d70705 var(--x)',
  );
  expect(seriesColour(7)).toBe(seriesColour(0));
});
