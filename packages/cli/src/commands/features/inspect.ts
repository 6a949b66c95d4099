import { findFeatureSets, type Inspection, inspectSet, openFeatureSet, UserError } from '@lsgmer/datasets';
import type { CommandModule } from 'yargs';
import { type Context, createContext } from '../../context.ts';
import { chooseDataset } from '../../dataset.ts';
import { headedTable } from '../../ui/table.ts';
import {
  placedSets,
  count,
  DATASET,
  FEATURE,
  JSON_OPTION,
  manifestOrNull,
  type SetOptions,
  shortened,
} from './sets.ts';

interface InspectOptions extends SetOptions {
  worst: number;
}

export const inspectCommand: CommandModule<object, InspectOptions> = {
  command: 'inspect',
  describe:
    'what the values look like: dimensions, norms by speaker, constant, non-finite and duplicated rows',
  builder: (y) =>
    y
      .option('dataset', DATASET)
      .option('feature', FEATURE)
      .option('worst', { type: 'number', default: 8, describe: 'dimensions that are shown (--json has all)' })
      .option('json', JSON_OPTION)
      .example('$0 features inspect --dataset meld --feature wavlm-large', ''),
  handler: async (options) => {
    if (!Number.isInteger(options.worst) || options.worst < 1)
      throw new UserError('--worst: a whole number of dimensions, at least 1');
    const context = createContext(options);
    const dataset = chooseDataset(context, options.dataset);
    const stores = [...context.stores];
    const manifest = manifestOrNull(context, dataset);
    const speakers = new Map(manifest?.utterances.map(({ id, speaker }) => [id, speaker]) ?? []);
    const names = new Set(
      placedSets(context, dataset, options.feature).map(
        ({ feature, fingerprint }) => `${feature}@${fingerprint}`,
      ),
    );
    const results: { feature: string; fingerprint: string; inspection: Inspection }[] = [];
    for (const name of names) {
      const [feature = '', fingerprint = ''] = name.split('@');
      if (!findFeatureSets(stores, dataset, feature).some((set) => set.fingerprint === fingerprint)) continue;
      const set = openFeatureSet({ stores, dataset, feature, fingerprint });
      try {
        const { reporter, signal } = context;
        const inspection = await inspectSet(set, (id) => speakers.get(id) ?? null, { reporter, signal });
        results.push({ feature, fingerprint, inspection });
      } finally {
        set.close();
      }
    }
    if (options.json)
      context.print(
        JSON.stringify(results.map(({ inspection, ...name }) => ({ dataset, ...name, ...inspection }))),
      );
    else for (const result of results) printInspection(context, result, options.worst);
  },
};

/** Ids of one kind that are shown. */
const SHOWN = 10;

function printInspection(
  context: Context,
  { feature, fingerprint, inspection }: { feature: string; fingerprint: string; inspection: Inspection },
  worst: number,
): void {
  const { utterances, steps, dimensions, speakers, constantRows, nonFiniteRows, duplicates } = inspection;
  context.print(
    `${feature}@${fingerprint.slice(0, 12)}: ${count(utterances, 'utterance')}, ${count(steps, 'step')}, ${count(dimensions.length, 'dimension')}`,
  );
  const flat = dimensions.filter(({ sd }) => sd === 0).map(({ dimension }) => dimension);
  if (flat.length > 0) context.print(`  dimensions of one value everywhere: ${flat.join(', ')}`);
  const byLargest = [...dimensions].sort((a, b) => b.largest - a.largest).slice(0, worst);
  context.print(
    headedTable(
      ['largest dimensions', 'mean', 'sd', 'constant', 'largest', 'in'],
      byLargest.map(({ dimension, mean, sd, constant, largest, largestAt }) => [
        String(dimension),
        figure(mean),
        figure(sd),
        `${(100 * constant).toFixed(1)} %`,
        figure(largest),
        largestAt,
      ]),
    ),
  );
  if (speakers.length > 0)
    context.print(
      headedTable(
        ['norm of a step, by speaker', 'utterances', 'mean', 'sd'],
        shortenedRows(
          speakers.map((one) => [one.speaker, String(one.utterances), figure(one.mean), figure(one.sd)]),
        ),
      ),
    );
  listRows(context, 'constant (every step the same)', constantRows);
  listRows(context, 'with values that are not finite', nonFiniteRows);
  listRows(
    context,
    'with equal values',
    duplicates.map((group) => group.join(' = ')),
  );
}

const MOST_SPEAKERS = 20;

function shortenedRows(rows: string[][]): string[][] {
  if (rows.length <= MOST_SPEAKERS) return rows;
  return [
    ...rows.slice(0, MOST_SPEAKERS),
    [`... and ${rows.length - MOST_SPEAKERS} more (--json)`, '', '', ''],
  ];
}

function listRows(context: Context, what: string, rows: readonly string[]): void {
  context.print(`  rows ${what}: ${rows.length === 0 ? 'none' : rows.length}`);
  for (const line of shortened(rows, SHOWN)) context.print(`    ${line}`);
}

const figure = (value: number): string => (value === 0 ? '0' : Number(value.toPrecision(4)).toString());
