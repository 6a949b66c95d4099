import { escapeHtml } from '../page/html.ts';
import { cellText, type Column, type Table } from './table.ts';

/** A semantic table: caption, column heads, the first cell of each row as its head. */
export function tableHtml(table: Table): string {
  const head = table.columns
    .map((column) => `<th scope="col"${classOf(column)}>${escapeHtml(column.head)}</th>`)
    .join('');
  const body = table.rows.map(({ cells, kind = 'ours', href }) => {
    const rendered = table.columns.map((column, i) => {
      const text = escapeHtml(cellText(cells[i] ?? null, column));
      return i === 0
        ? `<th scope="row"${classOf(column)}>${href === undefined ? text : `<a href="${escapeHtml(href)}">${text}</a>`}</th>`
        : `<td${classOf(column)}>${text}</td>`;
    });
    return `<tr class="${kind}">${rendered.join('')}</tr>`;
  });
  const notes =
    table.notes.length === 0
      ? ''
      : `<ul class="notes">${table.notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('')}</ul>`;
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(table.title)}"><table>
<caption>${escapeHtml(table.caption)}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body.join('\n')}
</tbody>
</table></div>${notes}`;
}

function classOf({ kind }: Column): string {
  if (kind === 'text') return ' class="text"';
  return kind === 'long' ? ' class="text long"' : '';
}
