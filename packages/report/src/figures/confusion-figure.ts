import * as Plot from '@observablehq/plot';
import type { GroupScores } from '@lsgmer/train';
import type { ReportData } from '../gather/report-data.ts';
import { type NormalisedConfusion, normalisedConfusion } from '../measure/confusion.ts';
import { TEXT_SWITCH } from '../page/palette.ts';
import { underRule } from '../tables/row-parts.ts';
import { type Figure, panel, type Panel } from './figure.ts';

const CELL = 62;

/** Fig. 4: normalised confusion with and without label guidance, side by side. */
export function confusionFigure(data: ReportData): Figure | undefined {
  const pairs = [
    { row: data.guided, title: 'With label guidance' },
    { row: data.unguided, title: 'Without label guidance' },
  ];
  const drawn = pairs.flatMap(({ row, title }) => {
    const confusion = row === undefined ? undefined : confusionOf(row);
    return row === undefined || confusion === undefined
      ? []
      : [{ row, confusion, title: `${title}: ${row.group.label}` }];
  });
  if (drawn.length === 0) return undefined;
  const lost = drawn.some(({ confusion }) => confusion.unanswered.some((share) => share > 0));
  return {
    id: 'confusion',
    title: 'Normalised confusion',
    caption: `Rows: truth, columns: prediction; % of the truth's utterances, folds and seeds together${lost ? '; what has no prediction counts as an error and is in no column' : ''}. ${underRule(
      data,
      drawn.map(({ row }) => row),
    )}${drawn.length < 2 ? ' There is no finished run of the same head without label guidance (make train ABLATION=full,no-lsma-joo).' : ''}`,
    alt: drawn
      .map(({ title, confusion }) => `${title}: recall ${recalls(data.classes, confusion)}`)
      .join('; '),
    panels: drawn.map(({ title, confusion }) => confusionPanel(title, data.classes, confusion)),
  };
}

function confusionOf(row: GroupScores): NormalisedConfusion | undefined {
  const seeds = row.seeds.flatMap((seed) =>
    row.complete.includes(seed.seed) && seed.pooled !== null ? [seed.pooled] : [],
  );
  return row.overSeeds === null || seeds.length === 0 ? undefined : normalisedConfusion(seeds);
}

function recalls(classes: readonly string[], { shares }: NormalisedConfusion): string {
  return classes.map((name, k) => `${name} ${text(shares[k]?.[k] ?? NaN)} %`).join(', ');
}

const text = (share: number): string => (Number.isNaN(share) ? '–' : (100 * share).toFixed(1));

function confusionPanel(title: string, classes: readonly string[], confusion: NormalisedConfusion): Panel {
  const cells = classes.flatMap((truth, t) =>
    classes.map((prediction, p) => ({ truth, prediction, share: confusion.shares[t]?.[p] ?? NaN })),
  );
  return matrixPanel(
    title,
    classes,
    cells.map((cell) => ({
      x: cell.prediction,
      y: cell.truth,
      strength: Number.isNaN(cell.share) ? 0 : cell.share,
      text: text(cell.share),
    })),
    'prediction',
    'truth',
  );
}

export interface MatrixCell {
  readonly x: string;
  readonly y: string;
  /** From 0 to 1: how dark. */
  readonly strength: number;
  readonly text: string;
}

/** A labelled matrix; its numbers stand in the cells, so that colour adds nothing that is not written. */
export function matrixPanel(
  title: string,
  classes: readonly string[],
  cells: readonly MatrixCell[],
  x: string,
  y: string,
): Panel {
  const longest = Math.max(...classes.map((name) => name.length));
  const left = 24 + 7 * longest;
  const strong = (cell: MatrixCell): boolean => cell.strength > TEXT_SWITCH;
  return panel(title, {
    width: left + CELL * classes.length + 12,
    height: 56 + 44 * classes.length,
    marginLeft: left,
    marginTop: 44,
    marginBottom: 8,
    padding: 0,
    x: {
      domain: [...classes],
      label: x,
      axis: 'top',
      tickSize: 0,
      ...(longest > 9 ? { tickFormat: shortName } : {}),
    },
    y: { domain: [...classes], label: y, tickSize: 0 },
    marks: [
      Plot.cell(cells, { x: 'x', y: 'y', fill: 'var(--low)', inset: 1 }),
      Plot.cell(cells, { x: 'x', y: 'y', fill: 'var(--high)', fillOpacity: 'strength', inset: 1 }),
      Plot.text(
        cells.filter((cell) => !strong(cell)),
        { x: 'x', y: 'y', text: 'text', fill: 'var(--on-low)' },
      ),
      Plot.text(cells.filter(strong), { x: 'x', y: 'y', text: 'text', fill: 'var(--on-high)' }),
    ],
    opacity: { type: 'identity' },
  });
}

const shortName = (name: string): string => (name.length > 9 ? `${name.slice(0, 8)}…` : name);
