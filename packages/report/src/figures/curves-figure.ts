import * as Plot from '@observablehq/plot';
import type { EpochRecord, MetricKey } from '@lsgmer/train';
import type { GroupCurves } from '../gather/curves.ts';
import type { ReportData } from '../gather/report-data.ts';
import { curve, type CurvePoint } from '../measure/curves.ts';
import { seriesColour } from '../page/palette.ts';
import { coverageWords } from '../tables/row-parts.ts';
import { type Figure, panel, type Panel } from './figure.ts';

const WIDTH = 460;
const HEIGHT = 280;
/** Letters of a name beside a line. */
const LONGEST = 18;
/** Lines are told apart by dashes as well as by colour. */
const DASHES = ['', '7 3', '2 3', '9 3 2 3', '4 2', '12 4', '1 2'];

interface Quantity {
  readonly title: string;
  readonly axis: string;
  readonly of: (record: EpochRecord) => number | null;
}

/** Training curves: what the optimiser saw. Test scores are apart, since to choose by them is the oracle rule. */
export function trainingFigure(groups: readonly GroupCurves[], data: ReportData): Figure | undefined {
  const main = data.task.metric;
  const quantities: Quantity[] = [
    { title: 'Training loss', axis: 'loss', of: (r) => r.loss },
    { title: 'APC term of the loss', axis: 'APC, before its weight', of: (r) => r.apc },
    { title: 'Training accuracy, each utterance at its update', axis: 'WA, %', of: (r) => 100 * r.trainWa },
    {
      title: `Dev part, ${main.toUpperCase()}`,
      axis: `${main.toUpperCase()}, %`,
      of: (r) => percentOf(r.dev, main),
    },
    { title: 'Length of the gradient', axis: 'Euclidean length', of: (r) => r.gradientNorm },
    { title: 'Weight of audio in the gate, while training', axis: 'weight', of: (r) => r.gate?.[0] ?? null },
    {
      title: 'Movement of the labels within an epoch',
      axis: '% of their length',
      of: (r) => (r.labelMovement === null ? null : 100 * r.labelMovement),
    },
  ];
  return curvesFigure(
    'training-curves',
    'Training curves',
    groups,
    data,
    quantities,
    'No epoch is chosen by these lines unless the rule is dev.',
  );
}

/** Test scores by epoch, marked as what they are. */
export function oracleCurvesFigure(groups: readonly GroupCurves[], data: ReportData): Figure | undefined {
  const main = data.task.metric;
  const name = main.toUpperCase();
  return curvesFigure(
    'oracle-curves',
    'ORACLE view: the test part after every epoch',
    groups,
    data,
    [
      { title: `Test part, ${name} (ORACLE)`, axis: `${name}, %`, of: (r) => percentOf(r.test, main) },
      { title: 'Test part, cross entropy (ORACLE)', axis: 'cross entropy', of: (r) => r.test?.ce ?? null },
    ],
    'To take an epoch because it is high here is the rule oracle-test.',
  );
}

const percentOf = (part: EpochRecord['dev'], key: MetricKey): number | null =>
  part === null ? null : 100 * part[key];

function curvesFigure(
  id: string,
  title: string,
  groups: readonly GroupCurves[],
  data: ReportData,
  quantities: readonly Quantity[],
  remark: string,
): Figure | undefined {
  const panels = quantities.flatMap((quantity): Panel[] => {
    const lines = groups
      .map((group, i) => ({
        label: group.label,
        // the same in every panel, whichever groups it shows
        style: i,
        points: curve(
          group.runs.map(({ seed, fold, epochs }) => ({ seed, fold, values: epochs.map(quantity.of) })),
          group.folds,
        ),
      }))
      .filter(({ points }) => points.length > 0);
    return lines.length === 0 ? [] : [curvesPanel(quantity, lines)];
  });
  if (panels.length === 0) return undefined;
  const seeds = Math.max(...groups.map((group) => new Set(group.runs.map((run) => run.seed)).size));
  const band =
    seeds > 1 ? `bands: lowest and highest of up to ${seeds} seeds` : 'one seed only, so there are no bands';
  return {
    id,
    title,
    caption: `Every epoch of every finished run; lines: mean over seeds of the mean over folds; ${band}. ${remark} ${coverageWords(data.groups)}.`,
    alt: groups.map((group) => `${group.label}: ${group.runs.length} runs`).join(', '),
    panels,
  };
}

interface Line {
  readonly label: string;
  readonly points: readonly CurvePoint[];
}

function curvesPanel(quantity: Quantity, lines: readonly (Line & { readonly style: number })[]): Panel {
  const labels = lines.map(({ label }) => label);
  const colour = { domain: labels, range: lines.map(({ style }) => seriesColour(style)) };
  const flat = lines.flatMap(({ label, points }) => points.map((point) => ({ ...point, label })));
  const last = Math.max(...flat.map((point) => point.epoch));
  return panel(quantity.title, {
    width: WIDTH,
    height: HEIGHT,
    marginLeft: 58,
    marginRight: 12 + 6.5 * Math.min(LONGEST, Math.max(...labels.map((label) => label.length))),
    x: { label: 'epoch', ticks: Math.min(10, last), tickFormat: 'd' },
    y: { grid: true, label: quantity.axis, nice: true },
    color: colour,
    marks: [
      Plot.areaY(flat, { x: 'epoch', y1: 'low', y2: 'high', fill: 'label', fillOpacity: 0.18 }),
      ...lines.map(({ points, style }) =>
        Plot.line(points, {
          x: 'epoch',
          y: 'mean',
          stroke: seriesColour(style),
          strokeWidth: 1.8,
          strokeDasharray: DASHES[style % DASHES.length] as string,
        }),
      ),
      Plot.text(spreadEnds(lines), {
        x: 'epoch',
        y: 'y',
        text: 'short',
        fill: 'label',
        textAnchor: 'start',
        dx: 5,
      }),
    ],
  });
}

/** A name beside the end of its line. */
interface End {
  /** As the colours know it. */
  readonly label: string;
  /** As it is written: cut where it is long. */
  readonly short: string;
  readonly epoch: number;
  readonly y: number;
}

/** Names at the ends of lines, moved apart where they would overlap: in the order of the values. */
function spreadEnds(lines: readonly Line[]): End[] {
  const all = lines.flatMap(({ points }) => points.flatMap((point) => [point.low, point.high]));
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const gap = ((high - low || Math.abs(high) * 0.05 || 1) * 15) / (HEIGHT - 60);
  const ends = lines
    .map(({ label, points }) => {
      const end = points.at(-1) as CurvePoint;
      return { label, short: shortened(label), epoch: end.epoch, y: end.mean };
    })
    .sort((a, b) => a.y - b.y);
  ends.forEach((end, i) => {
    const below = ends[i - 1];
    if (below !== undefined) end.y = Math.max(end.y, below.y + gap);
  });
  return ends;
}

const shortened = (label: string): string =>
  label.length > LONGEST ? `${label.slice(0, LONGEST - 1)}…` : label;
