import { type Figure, figureHtml } from '../figures/figure.ts';
import { tableHtml } from '../tables/html-table.ts';
import type { Table } from '../tables/table.ts';
import { CLOSED_POLICY, escapeHtml, htmlPage } from './html.ts';
import { REPORT_STYLE } from './style.ts';

/** A chapter of the page. */
export interface Section {
  readonly id: string;
  readonly title: string;
  /** Plain text below the heading. */
  readonly text?: string | undefined;
  readonly content: readonly (Table | Figure)[];
}

export interface ReportPage {
  readonly title: string;
  /** One line below the title. */
  readonly summary: string;
  /** What must be read before any number. */
  readonly notices: readonly string[];
  /** What is unlike, missing, unfinished or stale. */
  readonly problems: readonly string[];
  readonly sections: readonly Section[];
  /** File of the utterance explorer beside the page; undefined where there is none. */
  readonly explorer: string | undefined;
  /** Versions and sources, one line. */
  readonly footer: string;
}

export const isTable = (item: Table | Figure): item is Table => 'columns' in item;

/** The report: one page that loads nothing, runs no script, and reads in light, dark and print. */
export function reportPage(page: ReportPage): string {
  const sections = page.sections.filter(({ content }) => content.length > 0);
  return htmlPage({
    title: page.title,
    style: REPORT_STYLE,
    policy: CLOSED_POLICY,
    body: `<header>
<h1>${escapeHtml(page.title)}</h1>
<p class="soft">${escapeHtml(page.summary)}</p>
${notice(page.notices)}
${notice(page.problems)}
</header>
<nav aria-label="Contents"><ol>
${sections.map(({ id, title }) => `<li><a href="#${id}">${escapeHtml(title)}</a></li>`).join('\n')}
${page.explorer === undefined ? '' : `<li><a href="${page.explorer}">Utterance explorer</a></li>`}
</ol></nav>
<main>
${sections.map(sectionHtml).join('\n')}
</main>
<footer><p class="soft">${escapeHtml(page.footer)}</p></footer>`,
  });
}

function notice(lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return `<div class="notice" role="note"><ul>${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul></div>`;
}

function sectionHtml({ id, title, text, content }: Section): string {
  const intro = text === undefined ? '' : `<p>${escapeHtml(text)}</p>`;
  return `<section id="${id}"><h2>${escapeHtml(title)}</h2>${intro}
${content.map((item) => (isTable(item) ? tablePart(item) : figurePart(item))).join('\n')}
</section>`;
}

function tablePart(table: Table): string {
  const files = ['csv', 'md', 'tex'].map(
    (kind) => `<a href="tables/${table.id}.${kind}">${kind.toUpperCase()}</a>`,
  );
  return `<h3 id="table-${table.id}">${escapeHtml(table.title)}</h3>${tableHtml(table)}
<p class="files">This table as ${files.join(', ')}</p>`;
}

function figurePart(figure: Figure): string {
  return `<h3>${escapeHtml(figure.title)}</h3>${figureHtml(figure)}
<p class="files">This figure as <a href="figures/${figure.id}.svg">SVG</a></p>`;
}
