import { cellText, type Table } from './table.ts';

/** A pipe table under its caption, notes below. */
export function tableMarkdown(table: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const align = table.columns.map(({ kind }) => (kind === 'text' || kind === 'long' ? ':--' : '--:'));
  return `${[
    `**${markdownText(table.title)}.** ${markdownText(table.caption)}`,
    '',
    line(table.columns.map(({ head }) => markdownText(head))),
    line(align),
    ...table.rows.map(({ cells }) =>
      line(table.columns.map((column, i) => markdownText(cellText(cells[i] ?? null, column)))),
    ),
    ...(table.notes.length === 0 ? [] : ['', ...table.notes.map((note) => `- ${markdownText(note)}`)]),
  ].join('\n')}\n`;
}

/** Text that stays text: no markup, no HTML, no column borders. */
export function markdownText(text: string): string {
  return text
    .replaceAll(/[\\`*_{}[\]#|~]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/\s*[\r\n]+\s*/g, ' ');
}
