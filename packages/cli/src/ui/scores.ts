import {
  type ExperimentResult,
  type PooledResult,
  type Scores,
  type SeedResult,
  settingsText,
  type VariantResult,
} from '@lsgmer/train';
import { headedTable } from './table.ts';

type Rule = ExperimentResult['select'];

/** Best possible scores of a generated corpus, by variant: shares of 1. */
export type Ceilings = { readonly [variant: string]: { readonly wa: number; readonly ua: number } };

const percent = (share: number): string => (share * 100).toFixed(1);
const signed = (sd: number | undefined): string => (sd === undefined ? '' : ` ± ${percent(sd)}`);
const columns = (scores: Scores): string[] => [percent(scores.wa), percent(scores.ua), percent(scores.wf1)];
const coverage = (evaluated: number, expected: number): string => `${evaluated} of ${expected}`;

const RULES: { readonly [rule in Rule]: string } = {
  last: 'last',
  dev: 'dev (best on the dev part, fold by fold)',
  'oracle-test':
    'oracle-test (best on the TEST part itself: it flatters, and compares with oracle numbers only)',
};

/** The whole result of an experiment as text: what was run under which rule, each variant, then all side by side. */
export function experimentText(result: ExperimentResult, ceilings?: Ceilings): string {
  const seeds = result.variants[0]?.seeds.map((one) => one.seed) ?? [];
  const head = [
    result.synthetic ? 'SYNTHETIC data: these numbers say nothing about emotion recognition' : '',
    `${result.dataset}, task ${result.task}, ${plural(result.folds.length, 'fold')}, ${plural(seeds.length, 'seed')} (${seeds.join(', ')})`,
    ...protocolLines(result),
    `epoch taken: ${RULES[result.select]}; engine ${result.engine} on ${result.device}; all scores in %`,
  ].filter((line) => line !== '');
  const parts = [
    head.join('\n'),
    ...result.variants.map((variant) => variantText(result, variant, ceilings)),
  ];
  if (result.variants.length > 1 || ceilings !== undefined) parts.push(summaryText(result, ceilings));
  return parts.join('\n\n');
}

/** How the folds were cut, and what makes their numbers easier or other than usual. */
function protocolLines({ protocol, dev }: ExperimentResult): string[] {
  if (protocol === null) return [];
  const sizes = [...new Set(dev)];
  const held = sizes.every((n) => n === 0)
    ? ''
    : `; dev (not trained on): ${sizes.length === 1 ? sizes[0] : `${Math.min(...dev)} to ${Math.max(...dev)}`} utterances a fold`;
  return [
    `${protocol.name}${held}${protocol.where === null ? '' : `; where ${protocol.where}`}`,
    ...(protocol.speakerDependent
      ? ['SPEAKER-DEPENDENT: speakers of the test part are also in training']
      : []),
  ];
}

function variantText(result: ExperimentResult, variant: VariantResult, ceilings?: Ceilings): string {
  const features = Object.entries(variant.features).map(
    ([input, name]) => `${input} ${name.replace(/(@.{8}).*/, '$1')}`,
  );
  const lines = [`${variant.name}: ${features.join(', ')}`];
  if (variant.sweep !== undefined) lines.push(sweepText(variant.sweep, result.metric));
  if (variant.refit === true) lines.push('trained again on train and dev, for the epochs that dev picked');
  if (variant.config['standardise'] === 'speaker')
    lines.push(
      'TRANSDUCTIVE: features standardised by each speaker, test speakers too (no label was looked at)',
    );
  for (const seed of variant.seeds)
    lines.push(foldsTable(seed, variant, result.select, ceilings?.[variant.name]));
  if (variant.seeds.length > 1) lines.push(seedsTable(variant, result.select));
  const last = variant.seeds.at(-1);
  if (last !== undefined) lines.push(confusionText(last.pooled, result, last.seed));
  const { coverage: c } = variant;
  if (c.missingTest.length > 0)
    lines.push(
      `${c.missingTest.length} test utterances without features (rule ${c.rule}${c.comparable ? '' : '; NOT COMPARABLE with other results'})`,
    );
  return lines.join('\n');
}

/** What stands in a table's first column head: an oracle number is never seen without its name. */
const ruled = (title: string, rule: Rule): string => (rule === 'last' ? title : `${title} (${rule})`);

/** How many were tried, and what was chosen on dev, fold by fold. */
function sweepText({ tried, chosen }: NonNullable<VariantResult['sweep']>, metric: string): string {
  const lines = chosen.map(
    ({ fold, settings, score }) =>
      `  ${fold}: ${settingsText(settings)} (dev ${metric.toUpperCase()} ${percent(score)})`,
  );
  return [`configurations tried: ${tried}; chosen on dev, fold by fold:`, ...lines].join('\n');
}

function foldsTable(
  seed: SeedResult,
  variant: VariantResult,
  rule: Rule,
  ceiling?: { wa: number; ua: number },
): string {
  const rows = seed.folds.map((fold) => [
    fold.fold,
    String(fold.epoch),
    ...columns(fold.scores),
    `${coverage(fold.evaluated, fold.expected)}${fold.absent > 0 ? ` (${plural(fold.absent, 'class', 'classes')} absent)` : ''}`,
  ]);
  const { mean, sd } = seed.overFolds;
  if (seed.folds.length > 1) {
    rows.push([
      'mean over folds ± sd',
      '',
      `${percent(mean.wa)}${signed(sd?.wa)}`,
      `${percent(mean.ua)}${signed(sd?.ua)}`,
      `${percent(mean.wf1)}${signed(sd?.wf1)}`,
      '',
    ]);
  }
  rows.push([
    'pooled',
    '',
    ...columns(seed.pooled.scores),
    coverage(seed.pooled.evaluated, seed.pooled.expected),
  ]);
  if (ceiling !== undefined)
    rows.push(['best possible', '', percent(ceiling.wa), percent(ceiling.ua), '', '']);
  return headedTable(
    [ruled(`${variant.name}, seed ${seed.seed}`, rule), 'epoch', 'WA', 'UA', 'WF1', 'n'],
    rows,
  );
}

function seedsTable(variant: VariantResult, rule: Rule): string {
  const { pooled } = variant.overSeeds;
  const cell = (key: 'wa' | 'ua' | 'wf1'): string =>
    `${percent(pooled.mean[key])}${signed(pooled.sd?.[key])}`;
  return headedTable(
    [ruled(`${variant.name}, over seeds`, rule), 'WA', 'UA', 'WF1'],
    [['pooled, mean ± sd over seeds', cell('wa'), cell('ua'), cell('wf1')]],
  );
}

function confusionText(pooled: PooledResult, { classes, select }: ExperimentResult, seed: number): string {
  const rows = pooled.confusion.map((row, k) => [
    classes[k] as string,
    ...row.map(String),
    pooled.classes[k]?.support === 0 ? '-' : percent(pooled.classes[k]?.recall ?? 0),
  ]);
  return headedTable([ruled(`confusion, seed ${seed}, rows: truth`, select), ...classes, 'recall'], rows);
}

function summaryText(result: ExperimentResult, ceilings?: Ceilings): string {
  const rows = result.variants.map((variant) => {
    const { pooled } = variant.overSeeds;
    const best = ceilings?.[variant.name];
    return [
      variant.name,
      ...columns(pooled.mean),
      ...(ceilings === undefined
        ? []
        : [best === undefined ? '' : `${percent(best.wa)} / ${percent(best.ua)}`]),
      coverage(variant.coverage.evaluated, variant.coverage.expected),
    ];
  });
  const head = [
    `pooled (epoch: ${result.select}${result.variants.some((one) => one.refit === true) ? ', refit' : ''})`,
    'WA',
    'UA',
    'WF1',
    ...(ceilings === undefined ? [] : ['best possible WA / UA']),
    'n',
  ];
  return headedTable(head, rows);
}

const plural = (n: number, one: string, more = `${one}s`): string => `${n} ${n === 1 ? one : more}`;
