import type { Distribution, ManifestStats, Tally } from '@lsgmer/datasets';
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { duration } from './reporter.ts';
import { COST_HEAD, costCells, costNote, type Costs, TITLES } from './stats-table.ts';

/** Colours follow the reader's system; marks have one colour, told apart by place and label. */
const STYLE = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --soft: #59636e; --line: #d1d9e0; --mark: #2563a8; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14181d; --ink: #e6e9ed; --soft: #9aa4af; --line: #333b44; --mark: #6aa9e8; }
}
body { background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 68rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.05rem; margin: 0 0 .5rem; } p { color: var(--soft); margin: .25rem 0 1rem; }
main { display: grid; gap: 2rem; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); }
section { min-width: 0; overflow-x: auto; } .wide { grid-column: 1 / -1; }
svg { color: var(--ink); --plot-background: var(--paper); max-width: 100%; height: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } th, td { border-bottom: 1px solid var(--line); padding: .25rem .75rem; text-align: right; }
th:first-child, td:first-child { text-align: left; } th { color: var(--soft); font-weight: 600; }
`;

/** A document that lives in memory. */
type Page = ReturnType<typeof parseHTML>['document'];

const WIDTH = 520;
/** Bars of a figure: speakers are many. */
const VALUES = 20;

/** A page of figures that needs nothing beside itself: drawn ahead of time, styled for light and dark. */
export function statsPage(title: string, corpus: string, stats: ManifestStats, costs: Costs): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const figures = [
    ...stats.tallies.filter((one) => one.counts.length > 1).map((one) => tallyFigure(document, one)),
    ...stats.distributions.map((one) => distributionFigure(document, one)),
  ];
  const sound =
    stats.withSeconds === 0
      ? 'lengths not read'
      : `${duration(stats.seconds)} of sound in ${stats.withSeconds} recordings`;
  const summary = `${stats.utterances} utterances, ${stats.labelled} with a label, ${stats.speakers} speakers, ${stats.dialogues} dialogues, ${sound}; task ${stats.task.name}: ${stats.task.rows} utterances`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}: statistics</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escape(corpus)}</h1>
<p>${escape(title)}: ${escape(summary)}</p>
<main>
${crossSection(stats.classesBy)}
${figures.join('\n')}
${costSection(costs)}
</main>
</body>
</html>
`;
}

function crossSection(cross: ManifestStats['classesBy']): string {
  if (cross === null) return '';
  const rows = cross.rows.map(({ value, counts }) => [
    value,
    ...counts.map(String),
    String(counts.reduce((a, b) => a + b, 0)),
  ]);
  return section(`Class by ${cross.field}`, table([cross.field, ...cross.classes, 'all'], rows), '', true);
}

function costSection(costs: Costs): string {
  const rows = Object.entries(costs).flatMap(([preset, features]) =>
    features.map((one) => costCells(preset, one)),
  );
  return section('What the features will take', table(COST_HEAD, rows), costNote(costs), true);
}

function tallyFigure(document: Page, { name, counts }: Tally): string {
  const listed = counts.slice(0, VALUES);
  const rest = counts.slice(VALUES).reduce((sum, one) => sum + one.rows, 0);
  const note = rest === 0 ? '' : `${counts.length - VALUES} others with ${rest} rows`;
  const longest = Math.max(...listed.map((one) => one.value.length));
  const svg = Plot.plot({
    document,
    width: WIDTH,
    marginLeft: Math.min(180, 24 + 7 * longest),
    marginRight: 48,
    x: { grid: true, label: 'rows' },
    y: { label: null, domain: listed.map((one) => one.value) },
    marks: [
      Plot.barX(listed, { x: 'rows', y: 'value', fill: 'var(--mark)' }),
      Plot.text(listed, { x: 'rows', y: 'value', text: 'rows', dx: 6, textAnchor: 'start' }),
      Plot.ruleX([0]),
    ],
  });
  return section(capital(name), svg.outerHTML, note);
}

function distributionFigure(document: Page, one: Distribution): string {
  const [kind, of] = TITLES[one.name] ?? [one.name, 'rows'];
  const svg = Plot.plot({
    document,
    width: WIDTH,
    height: 260,
    x: { label: one.unit },
    y: { grid: true, label: of },
    marks: [
      Plot.rectY(one.bins, { x1: 'from', x2: 'to', y: 'rows', fill: 'var(--mark)', inset: 0.5 }),
      Plot.ruleX([one.p50], { stroke: 'currentColor', strokeDasharray: '4 3' }),
      Plot.ruleY([0]),
    ],
  });
  const figure = (value: number): string => String(Math.round(value * 100) / 100);
  const beyond = one.beyond === 0 ? '' : `; ${one.beyond} beyond the figure`;
  const note = `min ${figure(one.min)}, mean ${figure(one.mean)}, median ${figure(one.p50)} (dashed), 95 % ${figure(one.p95)}, 99 % ${figure(one.p99)}, max ${figure(one.max)} ${one.unit}${beyond}`;
  return section(capital(kind), svg.outerHTML, note);
}

function section(title: string, content: string, note: string, wide = false): string {
  const below = note === '' ? '' : `<p>${escape(note)}</p>`;
  return `<section${wide ? ' class="wide"' : ''}><h2>${escape(title)}</h2>${content}${below}</section>`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join('')}</tr>`;
  return `<table><thead>${line(head, 'th')}</thead><tbody>${rows.map((row) => line(row, 'td')).join('')}</tbody></table>`;
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
