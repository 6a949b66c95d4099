import * as Plot from '@observablehq/plot';
import { readAnalysis, referenceRuns } from '../gather/analysis.ts';
import { ruleText } from '../gather/notices.ts';
import type { ReportData } from '../gather/report-data.ts';
import { type GateSummary, gatesByClass } from '../measure/gates.ts';
import { coverageText, type Table } from '../tables/table.ts';
import { type Figure, panel } from './figure.ts';

/** Gate weights by class as figure and table; undefined for heads without a gate. */
export function gateWeights(
  data: ReportData,
): { readonly figure: Figure; readonly table: Table } | undefined {
  const { guided, classes } = data;
  if (guided === undefined) return undefined;
  const found = referenceRuns(guided).flatMap((run) => readAnalysis(run) ?? []);
  const rows = found.flatMap((one) => one.rows.filter((row) => row.gate.length === 2));
  const first = found[0];
  if (first === undefined || rows.length === 0) return undefined;
  const summaries = gatesByClass(rows, classes.length).filter((one) => one.n > 0);
  const expected = found.reduce((sum, one) => sum + one.run.coverage.expected, 0);
  const n = coverageText(rows.length, expected);
  const rule = ruleText(first.about.rule as ReportData['select']);
  const about = `Weight of audio in the fusion gate by true class (text has the rest): ${guided.group.label}, training seed ${first.run.identity.seed}, ${n} test utterances, ${rule}.`;
  const warning =
    'It is the factor that the head puts on its audio vector; the lengths of both vectors differ, so it does not say how much a modality matters.';
  const named = summaries.map((one) => ({ ...one, name: classes[one.label] as string }));
  return {
    figure: {
      id: 'gates',
      title: 'Gate weights by class',
      caption: `${about} Box: quartiles with median; line: 5 % to 95 %. ${warning}`,
      alt: named.map(({ name, mean }) => `${name}: mean ${mean.toFixed(2)}`).join(', '),
      panels: [gatesPanel(named)],
    },
    table: {
      id: 'gate-weights',
      title: 'Gate weights by class',
      caption: about,
      notes: [warning],
      columns: [
        { key: 'class', head: 'class', kind: 'text' },
        { key: 'audio', head: 'audio: mean ± sd', kind: 'measure', digits: 3 },
        ...(['p05', 'p25', 'p50', 'p75', 'p95'] as const).map((key) => ({
          key: `audio_${key}`,
          head: `${Number(key.slice(1))} %`,
          kind: 'measure' as const,
          digits: 3,
        })),
        { key: 'utterances', head: 'utterances', kind: 'count' },
        { key: 'epoch_taken', head: 'epoch', kind: 'text' },
        { key: 'evaluated_of_expected', head: 'n', kind: 'text' },
      ],
      rows: named.map((one) => ({
        cells: [
          one.name,
          { mean: one.mean, sd: Number.isNaN(one.sd) ? null : one.sd },
          one.p05,
          one.p25,
          one.p50,
          one.p75,
          one.p95,
          one.n,
          first.about.rule,
          n,
        ],
      })),
    },
  };
}

function gatesPanel(named: readonly (GateSummary & { readonly name: string })[]) {
  const longest = Math.max(...named.map(({ name }) => name.length));
  return panel('Weight of audio', {
    width: 560,
    height: 60 + 40 * named.length,
    marginLeft: 24 + 7 * longest,
    marginRight: 24,
    x: { domain: [0, 1], grid: true, label: 'weight of audio (text: the rest to 1)' },
    y: { domain: named.map(({ name }) => name), label: null, tickSize: 0 },
    marks: [
      Plot.ruleX([0.5], { stroke: 'currentColor', strokeDasharray: '4 3', strokeOpacity: 0.6 }),
      Plot.ruleY(named, { y: 'name', x1: 'p05', x2: 'p95', stroke: 'var(--mark)', strokeWidth: 1.5 }),
      Plot.barX(named, {
        y: 'name',
        x1: 'p25',
        x2: 'p75',
        fill: 'var(--paper)',
        stroke: 'var(--mark)',
        strokeWidth: 1.5,
        inset: 9,
      }),
      Plot.tickX(named, { y: 'name', x: 'p50', stroke: 'var(--ink)', strokeWidth: 2.5, inset: 9 }),
    ],
  });
}
