/**
 * Colours by mode. Classes are told apart by shape or label as well; each colour has a contrast of at least 4.5 to the paper. The
 * series were found by a random search for the largest distance between any two of them, as seen with and without red or green
 * cones.
 */
export interface Palette {
  readonly paper: string;
  readonly ink: string;
  readonly soft: string;
  readonly line: string;
  readonly mark: string;
  readonly warn: string;
  readonly warnPaper: string;
  /** Ends of the scale of a matrix, and the text on its two halves. */
  readonly low: string;
  readonly high: string;
  readonly onLow: string;
  readonly onHigh: string;
  /** Series and classes, in order. */
  readonly series: readonly string[];
}

export const LIGHT: Palette = {
  paper: '#ffffff',
  ink: '#1b1f24',
  soft: '#59636e',
  line: '#d1d9e0',
  mark: '#2563a8',
  warn: '#8a3b00',
  warnPaper: '#fff4e5',
  low: '#eef3f9',
  high: '#003a70',
  onLow: '#000000',
  onHigh: '#ffffff',
  series: ['#0028fa', '#d70705', '#004d5e', '#8d56b4', '#6f7142', '#3f009e', '#49061f'],
};

export const DARK: Palette = {
  paper: '#14181d',
  ink: '#e6e9ed',
  soft: '#9aa4af',
  line: '#333b44',
  mark: '#6aa9e8',
  warn: '#ffb86b',
  warnPaper: '#33230f',
  low: '#1d2733',
  high: '#65a4e3',
  onLow: '#ffffff',
  onHigh: '#000000',
  series: ['#57c8ff', '#d67500', '#00e358', '#bd63ff', '#fffcb7', '#ffff1c', '#829282'],
};

/** Between `low` (0) and `high` (1): where text has to change its colour, in both modes. */
export const TEXT_SWITCH = 0.66;

/** `--name: value` of every colour. */
export function paletteVariables(palette: Palette): string {
  const { series, ...single } = palette;
  const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return [
    ...Object.entries(single).map(([name, value]) => `--${kebab(name)}: ${value};`),
    ...series.map((value, i) => `--series-${i + 1}: ${value};`),
  ].join(' ');
}

/** Colour of the i-th series; they repeat after the last. */
export const seriesColour = (i: number): string => `var(--series-${(i % LIGHT.series.length) + 1})`;

/** Replaces every variable by its value in a palette: for files that stand alone. */
export function resolveVariables(text: string, palette: Palette): string {
  const values = new Map(
    [...paletteVariables(palette).matchAll(/--([a-z0-9-]+): ([^;]+);/g)].map((m) => [
      m[1] as string,
      m[2] as string,
    ]),
  );
  return text.replaceAll(/var\(--([a-z0-9-]+)\)/g, (whole, name: string) => values.get(name) ?? whole);
}
