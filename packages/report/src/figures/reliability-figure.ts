import * as Plot from '@observablehq/plot';
import { cellsOf, type ReportData } from '../gather/report-data.ts';
import { type Calibration, calibration, type ReliabilityBin } from '../measure/calibration.ts';
import { underRule } from '../tables/row-parts.ts';
import { type Figure, panel, type Panel } from './figure.ts';

/** Reliability diagrams of the guided head and its counterpart. */
export function reliabilityFigure(data: ReportData): Figure | undefined {
  const rows = [data.guided, data.unguided].flatMap((row) =>
    row === undefined || row.overSeeds === null ? [] : [row],
  );
  if (rows.length === 0) return undefined;
  const drawn = rows.map((row) => ({
    label: row.group.label,
    found: calibration(
      cellsOf(row).flatMap((cell) => (row.complete.includes(cell.seed) ? cell.predictions : [])),
    ),
  }));
  return {
    id: 'reliability',
    title: 'Reliability',
    caption: `Share that was right by the probability of the predicted class, in ten bins (seeds and folds together); on the dashed line a head can be taken at its word, below it it is too sure. Above: the number of predictions in each bin. ${underRule(data, rows)}`,
    alt: drawn
      .map(
        ({ label, found }) => `${label}: expected calibration error ${(100 * found.ece).toFixed(1)} points`,
      )
      .join('; '),
    panels: drawn.map(({ label, found }) => reliabilityPanel(label, found)),
  };
}

function reliabilityPanel(label: string, { bins, ece }: Calibration): Panel {
  const full = bins.filter((bin) => bin.n > 0);
  return panel(`${label}: ECE ${(100 * ece).toFixed(1)} points`, {
    width: 380,
    height: 340,
    marginLeft: 56,
    marginTop: 36,
    marginRight: 24,
    x: { domain: [0, 1], label: 'probability of the predicted class' },
    y: { domain: [0, 1], grid: true, label: 'share that was right', labelAnchor: 'center' },
    marks: [
      Plot.line(
        [
          [0, 0],
          [1, 1],
        ],
        { stroke: 'currentColor', strokeDasharray: '4 3', strokeOpacity: 0.7 },
      ),
      Plot.ruleX(full, {
        x: 'confidence',
        y1: 'confidence',
        y2: 'accuracy',
        stroke: 'var(--mark)',
        strokeOpacity: 0.5,
        strokeWidth: 5,
      }),
      Plot.line(full, { x: 'confidence', y: 'accuracy', stroke: 'var(--mark)' }),
      Plot.dot(full, { x: 'confidence', y: 'accuracy', fill: 'var(--mark)', r: 4 }),
      Plot.text(full, {
        x: (bin: ReliabilityBin) => (bin.from + bin.to) / 2,
        frameAnchor: 'top',
        dy: -10,
        text: (bin: ReliabilityBin) => String(bin.n),
        fontSize: 11,
      }),
    ],
  });
}
