import { type Cell, type Column, isMeasure, type Table } from './table.ts';

/**
 * RFC 4180 with line feeds. A measure that has a spread anywhere takes two columns, `ua` and `ua_sd`; numbers keep six digits, and the
 * row's kind is a column, so that no number is read as another rule's.
 */
export function tableCsv(table: Table): string {
  const spreads = table.columns.map((_, i) => table.rows.some(({ cells }) => hasSpread(cells[i])));
  const head = table.columns.flatMap(({ key }, i) => (spreads[i] === true ? [key, `${key}_sd`] : [key]));
  const lines = [
    [...head, 'row'],
    ...table.rows.map(({ cells, kind = 'ours' }) => [
      ...table.columns.flatMap((column, i) => values(cells[i] ?? null, column, spreads[i] === true)),
      kind,
    ]),
  ];
  return lines.map((cells) => `${cells.map(quote).join(',')}\n`).join('');
}

const hasSpread = (cell: Cell | undefined): boolean =>
  cell !== undefined && isMeasure(cell) && cell.sd !== null;

function values(cell: Cell, column: Column, spread: boolean): string[] {
  const value = csvValue(cell, column);
  return spread ? [value, cell !== null && isMeasure(cell) ? number(cell.sd) : ''] : [value];
}

function csvValue(cell: Cell, { kind }: Column): string {
  if (cell === null) return '';
  if (typeof cell === 'string') return guarded(cell, kind);
  return number(isMeasure(cell) ? cell.mean : cell);
}

const number = (value: number | null): string =>
  value === null || !Number.isFinite(value) ? '' : String(Number(value.toPrecision(6)));

/** Spreadsheets run text that begins like a formula; transcripts are anybody's. */
function guarded(text: string, kind: Column['kind']): string {
  return (kind === 'text' || kind === 'long') && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}

function quote(cell: string): string {
  return /[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
