import * as Plot from '@observablehq/plot';
import { mean, type LabelTable } from '@lsgmer/train';
import { readLabels, referenceRuns } from '../gather/analysis.ts';
import type { ReportData } from '../gather/report-data.ts';
import { labelCosines, type LabelPath, labelPath } from '../measure/label-geometry.ts';
import { seriesColour } from '../page/palette.ts';
import { coverageWords } from '../tables/row-parts.ts';
import { fixed } from '../tables/table.ts';
import { matrixPanel } from './confusion-figure.ts';
import { type Figure, panel, type Panel } from './figure.ts';

const NAMES: { readonly [table: string]: string } = {
  shared: 'labels',
  t: 'labels of text',
  a: 'labels of audio',
};

/** The label embeddings: how they lie to each other at the end, and how far they came. */
export function labelFigures(data: ReportData): Figure[] {
  const { guided, classes } = data;
  if (guided === undefined) return [];
  const runs = referenceRuns(guided).flatMap((run) => {
    const tables = readLabels(run);
    return tables === undefined || tables.length === 0 ? [] : [{ run, tables }];
  });
  const [first] = runs;
  if (first === undefined) return [];
  const names = [...new Set(first.tables.map(({ name }) => name))];
  const seed = first.run.identity.seed;
  const about = `${guided.group.label}, training seed ${seed}, mean over ${runs.length} ${runs.length === 1 ? 'fold' : 'folds'} (each has labels of its own), ${coverageWords([guided])}`;
  const tablesOf = (name: string): (readonly LabelTable[])[] =>
    runs.map(({ tables }) => tables.filter((table) => table.name === name));
  const paths = names.map((name) => ({
    name,
    path: meanPath(tablesOf(name).map((tables) => labelPath(tables, classes.length))),
  }));
  const last = Math.max(...first.tables.map(({ epoch }) => epoch));
  const far = paths[0]?.path.at(-1)?.distance ?? NaN;
  return [
    {
      id: 'label-cosines',
      title: 'Cosines between label embeddings',
      caption: `After epoch ${last} (the last one): ${about}. Random directions of this width have cosines near 0. Epoch: last, whatever the rule of the tables.`,
      alt: '',
      panels: names.map((name) => cosinesPanel(NAMES[name] ?? name, tablesOf(name), classes)),
    },
    {
      id: 'label-movement',
      title: 'Movement of the label embeddings',
      caption: `Distance from the start relative to its length, and cosine of each class with its start, after every epoch: ${about}. ${averageWords(guided.group.config)}`,
      alt: `After ${last} epochs the labels have moved by ${(100 * far).toFixed(2)} % of their length.`,
      panels: paths.flatMap(({ name, path }) => movementPanels(NAMES[name] ?? name, path, classes)),
    },
  ];
}

/** What the moving average leaves of an epoch's movement. */
function averageWords(config: { readonly [key: string]: string | number | boolean }): string {
  const alpha = config['ma.alpha'];
  if (typeof alpha !== 'number') return '';
  if (alpha === 0) return 'There is no moving average: every step counts in full.';
  const kept = `${Number((100 * (1 - alpha)).toPrecision(3))} %`;
  return `The moving average (alpha ${alpha}, every ${String(config['ma.every'])}) keeps ${kept} of what moved since it was last taken${config['ma.role'] === 'reset' ? ', so that labels hardly leave where they were drawn' : ''}.`;
}

/** Over folds, epoch by epoch; as far as all of them go. */
function meanPath(paths: readonly (readonly LabelPath[])[]): LabelPath[] {
  const epochs = Math.min(...paths.map((path) => path.length));
  return Array.from({ length: epochs }, (_, i) => {
    const at = paths.map((path) => path[i] as LabelPath);
    return {
      epoch: (at[0] as LabelPath).epoch,
      distance: mean(at.map((one) => one.distance)),
      cosines: (at[0] as LabelPath).cosines.map((_, k) => mean(at.map((one) => one.cosines[k] as number))),
    };
  });
}

function cosinesPanel(
  title: string,
  folds: readonly (readonly LabelTable[])[],
  classes: readonly string[],
): Panel {
  const each = folds.map((tables) => labelCosines((tables.at(-1) as LabelTable).values, classes.length));
  const cells = classes.flatMap((y, i) =>
    classes.map((x, j) => {
      const value = mean(each.map((matrix) => matrix[i]?.[j] as number));
      return { x, y, strength: Math.min(1, Math.abs(value)), text: fixed(value, 2) };
    }),
  );
  return matrixPanel(title, classes, cells, 'class', 'class');
}

function movementPanels(name: string, path: readonly LabelPath[], classes: readonly string[]): Panel[] {
  const cosines = path.flatMap(({ epoch, cosines }) =>
    cosines.map((value, k) => ({ epoch, value, label: classes[k] as string })),
  );
  const longest = Math.max(...classes.map((one) => one.length));
  const common = { width: 460, height: 260, marginLeft: 62, x: { label: 'epoch', tickFormat: 'd' } };
  const ends = classes.map((label) => ({
    label,
    ...(cosines.findLast((one) => one.label === label) as { epoch: number; value: number }),
  }));
  return [
    panel(`Distance from the start, ${name}`, {
      ...common,
      y: { grid: true, label: '% of the length at the start', zero: true },
      marks: [
        Plot.line(path, {
          x: 'epoch',
          y: (one: LabelPath) => 100 * one.distance,
          stroke: 'var(--mark)',
          strokeWidth: 1.8,
        }),
      ],
    }),
    panel(`Cosine with the start, ${name}`, {
      ...common,
      marginRight: 14 + 7 * longest,
      y: { grid: true, label: 'cosine' },
      color: { domain: [...classes], range: classes.map((_, i) => seriesColour(i)) },
      marks: [
        Plot.line(cosines, { x: 'epoch', y: 'value', stroke: 'label', z: 'label', strokeWidth: 1.8 }),
        Plot.text(apart(ends), {
          x: 'epoch',
          y: 'value',
          text: 'label',
          fill: 'label',
          textAnchor: 'start',
          dx: 5,
        }),
      ],
    }),
  ];
}

/** Names at the ends of lines, moved apart where they would overlap. */
function apart(
  ends: readonly { label: string; epoch: number; value: number }[],
): { label: string; epoch: number; value: number }[] {
  const sorted = ends.map((one) => ({ ...one })).sort((a, b) => a.value - b.value);
  const low = Math.min(...sorted.map((one) => one.value));
  const gap = Math.max(1e-9, (1 - low) * 0.09);
  sorted.forEach((one, i) => {
    const below = sorted[i - 1];
    if (below !== undefined && one.value - below.value < gap) one.value = below.value + gap;
  });
  return sorted;
}
