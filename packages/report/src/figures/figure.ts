import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { escapeHtml } from '../page/html.ts';
import { LIGHT, resolveVariables } from '../page/palette.ts';

/** A drawn figure: its panels stand side by side in the page, below each other in its file. */
export interface Figure {
  /** Name of its file and of its place in the page. */
  readonly id: string;
  readonly title: string;
  /** What it shows, under which rule, over how many; plain text, shown below it and inside its file. */
  readonly caption: string;
  /** What a reader who does not see it should know. */
  readonly alt: string;
  readonly panels: readonly Panel[];
}

export interface Panel {
  readonly title: string;
  /** An <svg> element. */
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

/** Below the axis: ticks, then the label, so that neither lies on the other. */
const MARGIN_BOTTOM = 50;
const LABEL_OFFSET = 42;

const STYLE = { fontSize: '12px', fontFamily: 'system-ui, sans-serif', overflow: 'visible' };

/** Draws one panel ahead of time; colours are variables of the page. */
export function panel(title: string, options: Plot.PlotOptions & { width: number; height: number }): Panel {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const x = { labelOffset: LABEL_OFFSET, ...options.x };
  const svg = Plot.plot({ marginBottom: MARGIN_BOTTOM, ...options, x, document, style: STYLE });
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', title);
  return { title, svg: svg.outerHTML, width: options.width, height: options.height };
}

/** The figure in the page. */
export function figureHtml(figure: Figure): string {
  const many = figure.panels.length > 1;
  const panels = figure.panels.map(({ title, svg }) =>
    many ? `<div><h4>${escapeHtml(title)}</h4>${svg}</div>` : svg,
  );
  return `<figure id="${figure.id}" aria-label="${escapeHtml(figure.title)}">
<div${many ? ' class="pair"' : ''}>${panels.join('\n')}</div>
<figcaption>${escapeHtml(figure.caption)} <span class="alt">${escapeHtml(figure.alt)}</span></figcaption>
</figure>`;
}

const MARGIN = 16;
const LINE = 16;
/** Characters of the caption's font that fit a hundred units. */
const PER_HUNDRED = 16;

/** The figure as a file that stands alone: title, panels, caption; light colours, no variables, since vector editors know none. */
export function figureSvg(figure: Figure): string {
  const columns = Math.min(2, figure.panels.length);
  const cellWidth = Math.max(...figure.panels.map((one) => one.width));
  const width = columns * cellWidth + (columns + 1) * MARGIN;
  const many = figure.panels.length > 1;
  let y = MARGIN + 22;
  const parts: string[] = [text(MARGIN, MARGIN + 12, figure.title, 16, 600)];
  for (let at = 0; at < figure.panels.length; at += columns) {
    const row = figure.panels.slice(at, at + columns);
    row.forEach((one, k) => {
      const x = MARGIN + k * (cellWidth + MARGIN);
      if (many) parts.push(text(x, y + 14, one.title, 13, 600));
      parts.push(one.svg.replace('<svg', `<svg x="${x}" y="${y + (many ? 22 : 0)}"`));
    });
    y += Math.max(...row.map((one) => one.height)) + (many ? 22 : 0) + MARGIN;
  }
  for (const line of wrap(figure.caption, Math.floor((width / 100) * PER_HUNDRED))) {
    parts.push(text(MARGIN, y + 8, line, 11, 400));
    y += LINE;
  }
  const height = y + MARGIN;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" color="${LIGHT.ink}" font-family="sans-serif" role="img">
<title>${escapeHtml(figure.title)}</title>
<desc>${escapeHtml(`${figure.caption} ${figure.alt}`)}</desc>
<rect width="${width}" height="${height}" fill="${LIGHT.paper}"/>
${parts.join('\n')}
</svg>
`;
  return resolveVariables(svg.replaceAll('var(--plot-background)', LIGHT.paper), LIGHT);
}

function text(x: number, y: number, content: string, size: number, weight: number): string {
  return `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${LIGHT.ink}">${escapeHtml(content)}</text>`;
}

function wrap(content: string, length: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of content.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > length) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}
