import type { Distribution, ManifestStats, Tally } from '@lsgmer/datasets';
import { BASE_STYLE, CLOSED_POLICY, escapeHtml, htmlPage, panel } from '@lsgmer/report';
import * as Plot from '@observablehq/plot';
import { duration } from './reporter.ts';
import { COST_HEAD, costCells, costNote, type Costs, TITLES } from './stats-table.ts';

const STYLE = `${BASE_STYLE}
h2 { border: 0; font-size: 1.05rem; margin: 0 0 .5rem; padding: 0; } p { color: var(--soft); }
main { display: grid; gap: 2rem; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); }
section { min-width: 0; overflow-x: auto; } .wide { grid-column: 1 / -1; }
th:first-child, td:first-child { text-align: left; }
`;

const WIDTH = 520;
/** Bars of a figure: speakers are many. */
const VALUES = 20;

/** A page of figures that needs nothing beside itself: drawn ahead of time, styled for light and dark. */
export function statsPage(title: string, corpus: string, stats: ManifestStats, costs: Costs): string {
  const figures = [
    ...stats.tallies.filter((one) => one.counts.length > 1).map(tallyFigure),
    ...stats.distributions.map(distributionFigure),
  ];
  const sound =
    stats.withSeconds === 0
      ? 'lengths not read'
      : `${duration(stats.seconds)} of sound in ${stats.withSeconds} recordings`;
  const summary = `${stats.utterances} utterances, ${stats.labelled} with a label, ${stats.speakers} speakers, ${stats.dialogues} dialogues, ${sound}; task ${stats.task.name}: ${stats.task.rows} utterances`;
  return htmlPage({
    title: `${title}: statistics`,
    style: STYLE,
    policy: CLOSED_POLICY,
    body: `<h1>${escapeHtml(corpus)}</h1>
<p>${escapeHtml(title)}: ${escapeHtml(summary)}</p>
<main>
${crossSection(stats.classesBy)}
${figures.join('\n')}
${costSection(costs)}
</main>`,
  });
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

function tallyFigure({ name, counts }: Tally): string {
  const listed = counts.slice(0, VALUES);
  const rest = counts.slice(VALUES).reduce((sum, one) => sum + one.rows, 0);
  const note = rest === 0 ? '' : `${counts.length - VALUES} others with ${rest} rows`;
  const longest = Math.max(...listed.map((one) => one.value.length));
  const { svg } = panel(capital(name), {
    width: WIDTH,
    height: 64 + 22 * listed.length,
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
  return section(capital(name), svg, note);
}

function distributionFigure(one: Distribution): string {
  const [kind, of] = TITLES[one.name] ?? [one.name, 'rows'];
  const { svg } = panel(capital(kind), {
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
  return section(capital(kind), svg, note);
}

function section(title: string, content: string, note: string, wide = false): string {
  const below = note === '' ? '' : `<p>${escapeHtml(note)}</p>`;
  return `<section${wide ? ' class="wide"' : ''}><h2>${escapeHtml(title)}</h2>${content}${below}</section>`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`;
  return `<table><thead>${line(head, 'th')}</thead><tbody>${rows.map((row) => line(row, 'td')).join('')}</tbody></table>`;
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
