/** A mean with its spread, in percent points unless the column says otherwise. */
export interface Measure {
  readonly mean: number;
  /** Standard deviation (n - 1) over seeds; null for a single value. */
  readonly sd: number | null;
}

export type Cell = string | number | Measure | null;

export interface Column {
  /** Name in CSV. */
  readonly key: string;
  readonly head: string;
  /**
   * `text` stands left, `long` is text that may wrap, `count` a whole number, `measure` a number with `digits` and, where it is a
   * Measure, its spread.
   */
  readonly kind: 'text' | 'long' | 'count' | 'measure';
  /** Digits behind the point of a measure: 1 unless given. */
  readonly digits?: number;
  /** A difference: with its sign. */
  readonly signed?: boolean;
}

/**
 * `published` rows come from papers, `oracle` rows chose their epoch on the test part, `broken` ones are incomplete, mixed or stale and
 * were not averaged.
 */
export type RowKind = 'ours' | 'published' | 'oracle' | 'broken';

export interface TableRow {
  readonly cells: readonly Cell[];
  readonly kind?: RowKind;
  /** Where the row's head leads in the page. */
  readonly href?: string;
}

/** A table as data; files and page are written from it. */
export interface Table {
  /** Name of its files and of its place in the page. */
  readonly id: string;
  readonly title: string;
  /** What it shows, under which rule, over how many: one or two sentences, plain text. */
  readonly caption: string;
  /** Further remarks, plain text. */
  readonly notes: readonly string[];
  readonly columns: readonly Column[];
  readonly rows: readonly TableRow[];
}

/** Stands where there is no value. */
export const NONE = '–';

export const isMeasure = (cell: Cell): cell is Measure => typeof cell === 'object' && cell !== null;

/** 5531 -> `5,531`, in every locale. */
export function grouped(n: number): string {
  return String(n).replaceAll(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** `2,600 of 2,610`: coverage as it stands everywhere. */
export const coverageText = (evaluated: number, expected: number): string =>
  `${grouped(evaluated)} of ${grouped(expected)}`;

/** A cell as people read it. */
export function cellText(cell: Cell, column: Column): string {
  if (cell === null) return NONE;
  if (typeof cell === 'string') return cell;
  const { digits = 1, signed = false } = column;
  if (!isMeasure(cell)) return column.kind === 'measure' ? fixed(cell, digits, signed) : grouped(cell);
  const mean = fixed(cell.mean, digits, signed);
  return cell.sd === null ? mean : `${mean} ± ${fixed(cell.sd, digits)}`;
}

/** With so many digits behind the point. */
export function fixed(value: number, digits: number, signed = false): string {
  if (!Number.isFinite(value)) return NONE;
  const text = value.toFixed(digits);
  // -0.0 is no number for a table
  if (/^-?0\.?0*$/.test(text)) return text.replace('-', '');
  return signed && value > 0 ? `+${text}` : text;
}
