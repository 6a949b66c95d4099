import {
  type Aggregate,
  type ComparedRow,
  type Comparison,
  differenceSentence,
  type Estimate,
  type MetricKey,
  metricKeys,
  pText,
  scoreNames,
  type Spread,
  tableNotes,
} from '@lsgmer/train';
import { headedTable } from './table.ts';

export interface ComparisonView {
  readonly scores: readonly MetricKey[];
  readonly aggregate: Aggregate;
}

const percent = (share: number): string => (100 * share).toFixed(2);
const signed = (share: number): string => `${share < 0 ? '-' : '+'}${percent(Math.abs(share))}`;
const interval = ({ interval: [low, high] }: Estimate): string => `${signed(low)} to ${signed(high)}`;

/** A comparison as text: what was compared how, every score of each row, the differences, each in a sentence, notes. */
export function comparisonText(result: Comparison, { scores, aggregate }: ComparisonView): string {
  const first = result.rows[0] as ComparedRow;
  const { group, select, missing } = first.scores;
  const folds = result.folds.map(({ fold, units }) => `${fold} ${units}`).join(', ');
  const what = `${result.unit}s${result.tooNarrow ? ' (iid, too narrow)' : ''}`;
  const head = [
    `${group.dataset}, task ${group.task}; epoch taken: ${select}; missing features: ${missing}; scores in %`,
    `${result.draws.toLocaleString('en')} draws of ${what} within each test fold (${folds}), ${result.utterances.toLocaleString('en')} utterances`,
    ...(result.leftOut > 0 ? [`${result.leftOut} utterances that not every row has are left out`] : []),
    ...(result.alone > 0 ? [`${result.alone} utterances are in no dialogue: each is drawn by itself`] : []),
  ];
  const sentences = scores.flatMap((score) =>
    result.rows
      .filter((row) => row.difference !== null)
      .map((row) => differenceSentence(result, row, score, aggregate)),
  );
  const notes = tableNotes(result.rows.map((row) => row.scores)).map((note) => `! ${note}`);
  return [
    head.join('\n'),
    levelsText(result, aggregate),
    ...scores.map((score) => differencesText(result, score, aggregate)),
    sentences.join('\n'),
    notes.join('\n'),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function levelsText({ rows }: Comparison, aggregate: Aggregate): string {
  const how = aggregate === 'pooled' ? 'pooled' : 'mean over folds';
  const cells = rows.map((row) => {
    const { coverage } = row.scores;
    const of = (score: MetricKey): string => {
      const { value, sdSeeds } = row.levels[aggregate][score];
      return `${percent(value)}${sdSeeds === null ? '' : ` ± ${percent(sdSeeds)}`}`;
    };
    const n = coverage === null ? '?' : `${coverage.evaluated} of ${coverage.expected}`;
    return [row.label, ...metricKeys.map(of), sdFolds(row), row.seeds.join(' '), n];
  });
  const names = metricKeys.map((key) => scoreNames[key]);
  return headedTable([`${how}, mean ± sd over seeds`, ...names, 'UA: sd over folds', 'seeds', 'n'], cells);
}

/** Mean over seeds of the standard deviation over folds: how much the folds differ, no uncertainty of the mean. */
function sdFolds({ scores, seeds }: ComparedRow): string {
  const spreads = scores.seeds.filter((one) => seeds.includes(one.seed)).map((one) => one.overFolds);
  const sds = spreads.map((one: Spread | null) => one?.sd?.ua ?? NaN);
  const mean = sds.reduce((sum, sd) => sum + sd, 0) / sds.length;
  return Number.isNaN(mean) ? '' : percent(mean);
}

function differencesText({ rows }: Comparison, score: MetricKey, aggregate: Aggregate): string {
  const compared = rows.filter((row) => row.difference !== null);
  if (compared.length === 0) return '';
  const cells = compared.map((row) => {
    const { estimates, mcnemar } = row.difference as NonNullable<ComparedRow['difference']>;
    const one = estimates[aggregate][score];
    const below = mcnemar.filter(({ p }) => p < 0.05).length;
    return [
      row.label,
      signed(one.value),
      interval(one),
      pText(one.p).replace('p = ', ''),
      pText(one.holm).replace('p = ', ''),
      one.df.toFixed(1),
      one.detectable > 1 ? 'none possible' : one.se === 0 ? '-' : percent(one.detectable),
      `${below} of ${mcnemar.length}`,
    ];
  });
  const head = [
    `${scoreNames[score]}, less ${rows[0]?.label ?? ''}`,
    'difference',
    '95 % interval',
    'p',
    'Holm',
    'df',
    'detectable (80 %)',
    'McNemar < 0.05',
  ];
  return headedTable(head, cells);
}

/** A comparison as plain data: everything but predictions. */
export function comparisonJson(result: Comparison): object {
  const { rows, ...rest } = result;
  return {
    ...rest,
    notes: tableNotes(rows.map((row) => row.scores)),
    rows: rows.map(({ scores, label, seeds, levels, difference }) => ({
      label,
      key: scores.group.key,
      select: scores.select,
      missing: scores.missing,
      coverage: scores.coverage,
      runs: scores.seeds.flatMap((seed) => seed.folds.map((cell) => cell.run.id)),
      seeds,
      levels,
      difference,
    })),
  };
}
