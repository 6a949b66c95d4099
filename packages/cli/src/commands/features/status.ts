import {
  checkParts,
  type FeatureSetSummary,
  findFeatureSets,
  listFeatures,
  locateSets,
  missingDescription,
  type PartCheck,
  readFeatureSetIndex,
  summarise,
  type Utterance,
} from '@lsgmer/datasets';
import type { CommandModule } from 'yargs';
import { type CommonOptions, type Context, createContext } from '../../context.ts';
import { chooseDataset } from '../../dataset.ts';
import { EXIT } from '../../exit.ts';
import { staleRows } from '../../freshness.ts';
import { headedTable } from '../../ui/table.ts';
import {
  chosenSets,
  count,
  DATASET,
  FEATURE,
  JSON_OPTION,
  manifestOrNull,
  shortened,
  sizeText,
} from './sets.ts';

interface StatusOptions extends CommonOptions {
  dataset?: string | undefined;
  feature?: string | undefined;
  json: boolean;
}

export const statusCommand: CommandModule<object, StatusOptions> = {
  command: 'status',
  describe:
    'what features the store has: for which manifest, how complete, how big, what is quarantined, who writes',
  builder: (y) =>
    y
      .option('dataset', DATASET)
      .option('feature', FEATURE)
      .option('json', JSON_OPTION)
      .example('$0 features status --dataset demo', ''),
  handler: (options) => {
    const context = createContext(options);
    const dataset = chooseDataset(context, options.dataset);
    const chosen = new Set(chosenSets(context, dataset, options.feature).map(setName));
    const manifest = manifestOrNull(context, dataset);
    const ids = manifest?.utterances.map(({ id }) => id);
    const stores = [...context.stores];
    const broken: string[] = stores.flatMap((store) => missingDescription(store, dataset) ?? []);
    const [only] = options.feature?.split('@') ?? [];
    const summaries = listFeatures(stores, dataset)
      .filter((feature) => only === undefined || feature === only)
      .flatMap((feature) =>
        findFeatureSets(stores, dataset, feature, ({ message }) => broken.push(message))
          .filter((set) => chosen.has(setName(set)))
          .map((set) => summarise(set, stores, ids)),
      );
    const parts = partsOf(stores, dataset);
    const stale = new Map(
      summaries.map((one) => [setName(one), staleOf(stores, one, manifest?.utterances ?? [])]),
    );
    if (options.json)
      context.print(
        JSON.stringify(
          summaries.map((one) => ({
            ...one,
            stale: stale.get(setName(one)) ?? 0,
            manifest: manifest?.info.manifest.sha256 ?? null,
            quarantined: Object.fromEntries(one.quarantined),
            parts: parts.get(setName(one)) ?? [],
          })),
        ),
      );
    else {
      const info = manifest?.info.manifest;
      context.print(
        info === undefined
          ? `${dataset}: no manifest in the store, so completeness is not known`
          : `${dataset}: manifest ${info.sha256.slice(0, 12)}, ${count(info.rows, 'utterance')}`,
      );
      printSummaries(context, summaries, parts, stale);
    }
    for (const problem of broken) context.reporter.warn(problem);
    if (broken.length > 0 || summaries.some((one) => one.problems.length > 0)) process.exitCode = EXIT.data;
  },
};

interface PartRecord {
  readonly store: string;
  readonly name: string;
  readonly rows: number;
  readonly shards: number;
  readonly quarantined: number;
  readonly heldBy: PartCheck['heldBy'];
  readonly problem: string | null;
}

/** Of a set in any store. Two features may have one fingerprint: the same arrays, imported under two names. */
const setName = ({
  feature,
  fingerprint,
}: {
  readonly feature: string;
  readonly fingerprint: string;
}): string => `${feature}/${fingerprint}`;

/** Index parts of all stores by set, with who is writing them. */
function partsOf(stores: readonly string[], dataset: string): Map<string, PartRecord[]> {
  const parts = new Map<string, PartRecord[]>();
  for (const set of locateSets(stores, dataset)) {
    const records = checkParts(set).map(({ name, index, heldBy, problem }): PartRecord => ({
      store: set.store,
      name,
      rows: Object.keys(index?.utterances ?? {}).length,
      shards: index?.shards.length ?? 0,
      quarantined: Object.keys(index?.quarantined ?? {}).length,
      heldBy,
      problem,
    }));
    parts.set(setName(set), [...(parts.get(setName(set)) ?? []), ...records]);
  }
  return parts;
}

/** Rows that were encoded from a text or recording that is another one now. */
function staleOf(
  stores: readonly string[],
  set: FeatureSetSummary,
  utterances: readonly Utterance[],
): number {
  // a damaged index is among the set's problems
  if (set.coverage === null) return 0;
  const { rows } = readFeatureSetIndex(stores, set);
  return staleRows(set.spec.kind, new Map([...rows].map(([id, { input }]) => [id, input])), utterances).size;
}

/** Reasons that are shown of a set. */
const SHOWN = 8;

function printSummaries(
  context: Context,
  summaries: readonly FeatureSetSummary[],
  parts: ReadonlyMap<string, readonly PartRecord[]>,
  stale: ReadonlyMap<string, number>,
): void {
  const rows = summaries.map((one) => [
    one.feature,
    one.fingerprint.slice(0, 12),
    one.spec.dtype,
    String(one.spec.dim),
    one.coverage === null ? String(one.rows) : completeness(one.coverage.present, one.coverage),
    String(stale.get(setName(one)) ?? 0),
    String(one.quarantined.size),
    String(one.shards),
    sizeText(one.bytes),
  ]);
  context.print(
    headedTable(
      ['feature', 'fingerprint', 'dtype', 'dim', 'utterances', 'stale', 'quarantined', 'shards', 'size'],
      rows,
    ),
  );
  for (const one of summaries) {
    const own = parts.get(setName(one)) ?? [];
    const { trainedOn } = one.spec.provenance;
    if (typeof trainedOn === 'string')
      context.print(`  ${one.feature}: its encoder was trained on ${trainedOn}`);
    for (const line of reasons(one.quarantined)) context.print(`  ${one.feature}: ${line}`);
    const busy = own.filter(({ heldBy }) => heldBy !== null);
    if (own.length > 1 || busy.length > 0)
      context.print(`  ${one.feature}: ${count(own.length, 'index part')}: ${own.map(partText).join(', ')}`);
    for (const problem of one.problems) context.print(`  ${one.feature}: ${problem}`);
  }
}

function completeness(
  present: number,
  { quarantined, missing }: { quarantined: string[]; missing: string[] },
): string {
  return `${present} of ${present + quarantined.length + missing.length}`;
}

function partText({ name, rows, heldBy }: PartRecord): string {
  const writer = heldBy === null ? '' : `, being written by process ${heldBy.pid} on ${heldBy.host}`;
  return `${name} (${count(rows, 'row')}${writer})`;
}

/** `12 quarantined: 0 samples (first: meld/dev/dia1_utt2)`, the most frequent reason first. */
function reasons(quarantined: ReadonlyMap<string, string>): string[] {
  const groups = new Map<string, string[]>();
  for (const [id, reason] of quarantined) {
    // a reason may begin with the utterance's own id or name its file: the kind is what is common
    const kind = reason.replace(id, '<id>');
    groups.set(kind, [...(groups.get(kind) ?? []), id]);
  }
  const sorted = [...groups].sort(([, a], [, b]) => b.length - a.length);
  return shortened(
    sorted.map(([reason, ids]) => `${ids.length} quarantined: ${reason} (first: ${ids[0]})`),
    SHOWN,
  );
}
