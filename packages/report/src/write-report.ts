import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileTrouble, type Reporter, UserError, writeFileAtomic } from '@lsgmer/datasets';
import type { PublishedRow } from '@lsgmer/train';
import { confusionFigure } from './figures/confusion-figure.ts';
import { oracleCurvesFigure, trainingFigure } from './figures/curves-figure.ts';
import { type Figure, figureSvg } from './figures/figure.ts';
import { gateWeights } from './figures/gates-figure.ts';
import { labelFigures } from './figures/labels-figure.ts';
import { projectionFigure } from './figures/projection-figure.ts';
import { reliabilityFigure } from './figures/reliability-figure.ts';
import { resultsFigure } from './figures/results-figure.ts';
import { readCurves } from './gather/curves.ts';
import { notices, problems, ruleText } from './gather/notices.ts';
import type { ReportData } from './gather/report-data.ts';
import { isTable, reportPage, type Section } from './page/report-page.ts';
import { ablationTable } from './tables/ablation-table.ts';
import { calibrationTable } from './tables/calibration-table.ts';
import { classesTable } from './tables/classes-table.ts';
import { type Ceilings, comparisonTable } from './tables/comparison-table.ts';
import { tableCsv } from './tables/csv.ts';
import { differencesTable } from './tables/differences-table.ts';
import { foldsTable } from './tables/folds-table.ts';
import { hardestTable } from './tables/hardest-table.ts';
import { tableLatex } from './tables/latex.ts';
import { tableMarkdown } from './tables/markdown.ts';
import { runsTable } from './tables/runs-table.ts';
import { selectionTable } from './tables/selection-table.ts';
import type { Table } from './tables/table.ts';

export interface WriteOptions {
  /** Folder that the report is written into. */
  readonly out: string;
  readonly published: readonly PublishedRow[];
  readonly ceilings: Ceilings | undefined;
  /** The explorer's page, relative to the report's; undefined without one. */
  readonly explorer: string | undefined;
  /** Version of the tool and what else the footer states. */
  readonly footer: string;
  readonly reporter: Reporter;
}

export interface WrittenReport {
  readonly page: string;
  readonly tables: number;
  readonly figures: number;
  /** Bytes of the page. */
  readonly bytes: number;
}

/** Names of the page's files: what `report --serve` may serve beside the explorer's. */
export const PAGE = 'index.html';

/** Writes the page, every figure as SVG, and every table as CSV, Markdown and LaTeX. */
export function writeReport(data: ReportData, options: WriteOptions): WrittenReport {
  const { out } = options;
  claimFolder(out);
  const sections = reportSections(data, options);
  const items = sections.flatMap(({ content }) => content);
  const tables = items.filter(isTable);
  const figures = items.filter((item): item is Figure => !isTable(item));
  for (const table of tables) {
    writeFileAtomic(join(out, 'tables', `${table.id}.csv`), tableCsv(table));
    writeFileAtomic(join(out, 'tables', `${table.id}.md`), tableMarkdown(table));
    writeFileAtomic(join(out, 'tables', `${table.id}.tex`), tableLatex(table));
  }
  for (const figure of figures) writeFileAtomic(join(out, 'figures', `${figure.id}.svg`), figureSvg(figure));
  const html = reportPage({
    title: `${data.card.title}: ${data.task.name}`,
    summary: summaryOf(data),
    notices: notices(data),
    problems: problems(data),
    sections,
    explorer: options.explorer,
    footer: options.footer,
  });
  const page = join(out, PAGE);
  writeFileAtomic(page, html);
  return { page, tables: tables.length, figures: figures.length, bytes: Buffer.byteLength(html) };
}

/** What stands in the folder's .gitignore, and tells a report's folder from any other. */
const GITIGNORE = '# a report of lsgmer: it may hold licensed transcripts\n*\n';

/**
 * Makes a folder a report's, or takes one that is. A report may hold licensed transcripts: whatever repository the folder
 * lies in, git is told to leave it alone.
 * @throws UserError for a folder that holds something else, or cannot be written
 */
export function claimFolder(out: string): void {
  try {
    const there = existsSync(out) ? readdirSync(out) : [];
    const mine = there.includes('.gitignore') && readFileSync(join(out, '.gitignore'), 'utf8') === GITIGNORE;
    if (there.length > 0 && !mine) {
      throw new UserError(
        `${out} holds ${there.length} other files and no report: expected an empty folder, a new one, or an earlier report (--out)`,
      );
    }
    writeFileAtomic(join(out, '.gitignore'), GITIGNORE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw new UserError(`cannot write the report into ${out}: ${fileTrouble(error)}`);
  }
}

const MISSING_WORDS: { readonly [rule in ReportData['missing']]: string } = {
  drop: 'left out, and counted',
  wrong: 'counted as errors',
  mask: 'predicted from the input that is left',
};

function summaryOf(data: ReportData): string {
  const { task, classes, groups, missing } = data;
  const seeds = new Set(groups.flatMap(({ group }) => group.seeds));
  const runs = groups.reduce((sum, { group }) => sum + group.runs.length, 0);
  return `${task.description}: ${classes.join(', ')}. ${groups.length} variants, ${seeds.size} ${seeds.size === 1 ? 'seed' : 'seeds'}, ${runs} runs. ${ruleText(data.select)}; test utterances without features: ${MISSING_WORDS[missing]}.`;
}

function reportSections(data: ReportData, options: WriteOptions): Section[] {
  const { reporter } = options;
  const curves = readCurves(data);
  for (const line of curves.left) reporter.warn(line);
  const step = (done: number): void => reporter.progress({ task: 'report', done, total: 4, unit: 'parts' });
  step(0);
  const results: Section = {
    id: 'results',
    title: 'Results',
    content: present([
      comparisonTable(data, options.published, options.ceilings),
      resultsFigure(data),
      ablationTable(data, options.published),
      differencesTable(data),
      selectionTable(data),
    ]),
  };
  const detail: Section[] = [
    {
      id: 'by-fold',
      title: 'Folds and classes',
      content: present([foldsTable(data), classesTable(data), confusionFigure(data)]),
    },
    {
      id: 'training',
      title: 'Training',
      content: present([trainingFigure(curves.groups, data), oracleCurvesFigure(curves.groups, data)]),
    },
  ];
  step(1);
  const projection = projectionFigure(data);
  step(2);
  const gates = gateWeights(data);
  const inside: Section[] = [
    { id: 'features', title: 'The fused vectors', content: present([projection]) },
    { id: 'labels', title: 'The label embeddings', content: labelFigures(data) },
    { id: 'fusion', title: 'The fusion gate', content: present([gates?.figure, gates?.table]) },
    {
      id: 'probabilities',
      title: 'Calibration',
      content: present([reliabilityFigure(data), calibrationTable(data)]),
    },
    { id: 'errors', title: 'Errors', content: present([hardestTable(data, options.explorer)]) },
    { id: 'sources', title: 'Runs', content: present([runsTable(data)]) },
  ];
  step(3);
  return [results, ...detail, ...inside];
}

const present = (items: readonly (Table | Figure | undefined)[]): (Table | Figure)[] =>
  items.filter((item) => item !== undefined);
