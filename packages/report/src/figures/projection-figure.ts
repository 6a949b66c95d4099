import * as Plot from '@observablehq/plot';
import type { GroupScores } from '@lsgmer/train';
import { readAnalysis, referenceRuns, type RunAnalysis } from '../gather/analysis.ts';
import { ruleText } from '../gather/notices.ts';
import type { ReportData } from '../gather/report-data.ts';
import { MOST_POINTS, project, PROJECTION_SETTINGS, sample, silhouette } from '../measure/projection.ts';
import { seriesColour } from '../page/palette.ts';
import { coverageText } from '../tables/table.ts';
import { type Figure, panel, type Panel } from './figure.ts';

/** Fewer points have no neighbours to speak of. */
const FEWEST = 12;
const SYMBOLS = ['circle', 'triangle', 'square', 'diamond', 'star', 'cross', 'wye'] as const;

interface Cloud {
  readonly title: string;
  readonly label: string;
  readonly found: RunAnalysis;
  readonly chosen: readonly number[];
  readonly silhouette: number;
}

/**
 * Fig. 5: the fused vectors of one run's test part with and without label guidance. One run, because each head has a space of its own:
 * the folds and seeds of a corpus cannot be thrown together.
 */
export function projectionFigure(data: ReportData): Figure | undefined {
  const fold =
    data.guided && referenceRuns(data.guided).find((run) => hasVectors(readAnalysis(run)))?.identity.fold;
  if (fold === undefined) return undefined;
  const clouds = [
    { row: data.guided, title: 'With label guidance' },
    { row: data.unguided, title: 'Without label guidance' },
  ].flatMap(({ row, title }) => {
    const found = row === undefined ? undefined : cloudOf(row, fold, title, data.seed);
    return found === undefined ? [] : [found];
  });
  const [first] = clouds;
  if (first === undefined) return undefined;
  const { rows, run } = first.found;
  const shown = coverageText(first.chosen.length, run.coverage.expected);
  const score = (one: Cloud): string => `${one.label} ${one.silhouette.toFixed(3)}`;
  return {
    id: 'projection',
    title: 'Fused vectors of the test part',
    caption: `${PROJECTION_SETTINGS}, seed ${data.seed}; fold ${fold}, training seed ${run.identity.seed}, ${shown} test utterances${first.chosen.length < rows.length ? ' (drawn at random)' : ''}, by true class; ${ruleText(first.found.about.rule as ReportData['select'])}. Distances between clusters and their sizes mean nothing in such a picture; the mean silhouette by true class in the vectors' own space: ${clouds.map(score).join(', ')}.${clouds.length < 2 ? ' There is no finished run of the same head without label guidance.' : ''}`,
    alt: `${clouds.length === 1 ? 'A scatter plot' : 'Two scatter plots'} of ${first.chosen.length} points each.`,
    panels: clouds.map((cloud) => cloudPanel(cloud, data)),
  };
}

const hasVectors = (found: RunAnalysis | undefined): boolean =>
  found !== undefined && found.rows.length >= FEWEST && (found.rows[0]?.fused.length ?? 0) > 0;

function cloudOf(row: GroupScores, fold: string, title: string, seed: number): Cloud | undefined {
  const run = referenceRuns(row).find((one) => one.identity.fold === fold);
  const found = run && readAnalysis(run);
  if (found === undefined || !hasVectors(found)) return undefined;
  const chosen = sample(found.rows.length, MOST_POINTS, seed);
  const rows = chosen.map((i) => found.rows[i] as RunAnalysis['rows'][number]);
  const spread = silhouette(
    rows.map((one) => one.fused),
    rows.map((one) => one.label),
  );
  return { title: `${title}: ${row.group.label}`, label: row.group.label, found, chosen, silhouette: spread };
}

function cloudPanel({ title, found, chosen }: Cloud, { classes, seed }: ReportData): Panel {
  const rows = chosen.map((i) => found.rows[i] as RunAnalysis['rows'][number]);
  const points = project(
    rows.map((row) => row.fused),
    seed,
  ).map(([x, y], i) => ({ x: round(x), y: round(y), label: classes[rows[i]?.label ?? 0] as string }));
  return panel(title, {
    width: 440,
    height: 440,
    inset: 10,
    margin: 4,
    marginBottom: 44,
    axis: null,
    x: { type: 'linear' },
    color: { domain: [...classes], range: classes.map((_, i) => seriesColour(i)) },
    symbol: { domain: [...classes], range: classes.map((_, i) => SYMBOLS[i % SYMBOLS.length] as string) },
    marks: [
      Plot.frame({ stroke: 'var(--line)' }),
      Plot.dot(points, {
        x: 'x',
        y: 'y',
        stroke: 'label',
        symbol: 'label',
        r: 2.6,
        strokeWidth: 1.1,
        strokeOpacity: 0.85,
      }),
      ...legend(classes),
    ],
  });
}

/** Below the frame, in one row or two: symbol and name. */
function legend(classes: readonly string[]): Plot.Markish[] {
  let x = 4;
  let line = 0;
  return classes.flatMap((name, i) => {
    const width = 22 + 7 * name.length;
    if (x + width > 430) {
      x = 4;
      line++;
    }
    const at = { frameAnchor: 'bottom-left' as const, dx: x + 6, dy: 14 + 16 * line };
    x += width;
    return [
      Plot.dot([name], {
        ...at,
        stroke: seriesColour(i),
        symbol: SYMBOLS[i % SYMBOLS.length] as Plot.SymbolType,
        r: 4,
        strokeWidth: 1.6,
      }),
      Plot.text([name], { ...at, dx: at.dx + 9, text: [name], textAnchor: 'start' }),
    ];
  });
}

/** Three digits are more than a pixel. */
const round = (value: number): number => Math.round(value * 1000) / 1000;
