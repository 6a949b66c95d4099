import { type Cell, cellText, type Column, type Table } from './table.ts';

/** A `table` environment for booktabs (`\usepackage{booktabs}`); wide columns wrap. */
export function tableLatex(table: Table): string {
  const spec = table.columns.map(({ kind }) =>
    kind === 'long' ? 'p{0.3\\linewidth}' : kind === 'text' ? 'l' : 'r',
  );
  const line = (cells: readonly string[]): string => `    ${cells.join(' & ')} \\\\`;
  const rows: string[] = [];
  table.rows.forEach(({ cells, kind = 'ours' }, i) => {
    if (i > 0 && (table.rows[i - 1]?.kind ?? 'ours') !== kind) rows.push('    \\midrule');
    rows.push(line(table.columns.map((column, k) => latexCell(cells[k] ?? null, column))));
  });
  const notes = table.notes.map((note) => `  \\par\\smallskip\\footnotesize ${latexText(note)}`);
  return `${[
    '% needs \\usepackage{booktabs}',
    '\\begin{table}',
    '  \\centering',
    `  \\caption{${latexText(`${table.title}. ${table.caption}`)}}`,
    `  \\label{tab:${table.id}}`,
    `  \\begin{tabular}{${spec.join('')}}`,
    '    \\toprule',
    line(table.columns.map(({ head }) => latexText(head))),
    '    \\midrule',
    ...rows,
    '    \\bottomrule',
    '  \\end{tabular}',
    ...notes,
    '\\end{table}',
  ].join('\n')}\n`;
}

function latexCell(cell: Cell, column: Column): string {
  const text = cellText(cell, column);
  if (typeof cell === 'string' || cell === null) return latexText(text);
  return `$${text.replaceAll('–', '\\text{--}').replaceAll('±', '\\pm').replaceAll(',', '{,}')}$`;
}

const SPECIAL: { readonly [character: string]: string } = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '–': '--',
  '—': '---',
  '…': '\\ldots{}',
  '±': '$\\pm$',
  '−': '$-$',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '"': '\\textquotedbl{}',
  '|': '\\textbar{}',
};

/** Text that stays text in LaTeX. */
export function latexText(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\\~^–—…±−<>|"]|[&%$#_{}]/g, (found) => SPECIAL[found] ?? `\\${found}`);
}
