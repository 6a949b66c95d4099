import {
  type FeatureDtype,
  describeDifferences,
  diffComputation,
  findFeatureSets,
  isDamaged,
  isImported,
  isWritable,
  type Manifest,
  planRepair,
  readFeatureSetIndex,
  type RepairReport,
  repairSet,
  setTitle,
  type SetCheck,
  UserError,
  verifySet,
} from '@lsgmer/datasets';
import { join } from 'node:path';
import {
  type EncoderModel,
  type ExtractOptions,
  extractFeatures,
  FEATURE_PRESETS,
  planFeatures,
  preparePreset,
} from '@lsgmer/extract';
import type { CommandModule } from 'yargs';
import { type Context, createContext } from '../../context.ts';
import { chooseDataset, givenRoot } from '../../dataset.ts';
import { EXIT } from '../../exit.ts';
import { printChecks } from './verify.ts';
import {
  chosenSets,
  count,
  DATASET,
  DRY_RUN,
  FEATURE,
  JSON_OPTION,
  manifestOrNull,
  type SetOptions,
  shortened,
} from './sets.ts';

interface RepairCommandOptions extends SetOptions {
  root?: string | undefined;
  device: 'auto' | 'cpu' | 'cuda' | 'webgpu';
  threads?: number | undefined;
  extract: boolean;
  'dry-run': boolean;
}

export const repairCommand: CommandModule<object, RepairCommandOptions> = {
  command: 'repair',
  describe:
    'mend what verify names: keep whole rows, compute the others again; damaged files go to the trash',
  builder: (y) =>
    y
      .option('dataset', DATASET)
      .option('feature', FEATURE)
      .option('root', { type: 'string', describe: 'folder of the corpus (default: the remembered one)' })
      .option('device', {
        choices: ['auto', 'cpu', 'cuda', 'webgpu'] as const,
        default: 'auto' as const,
        describe: 'where the encoders run',
      })
      .option('threads', { type: 'number', describe: 'threads of the encoders (default: all cores)' })
      .option('extract', {
        type: 'boolean',
        default: true,
        describe: 'compute lost rows again (--no-extract: only take them out)',
      })
      .option('dry-run', DRY_RUN)
      .option('json', JSON_OPTION)
      .example('$0 features repair --dataset meld --dry-run', ''),
  handler: async (options) => {
    const context = createContext(options);
    const dataset = chooseDataset(context, options.dataset);
    const outcomes: Outcome[] = [];
    for (const set of chosenSets(context, dataset, options.feature)) {
      const check = await verifySet(set, { reporter: context.reporter, signal: context.signal });
      if (!isDamaged(check) && check.unlisted.every(({ whole }) => whole)) continue;
      outcomes.push(await mend(context, check, options));
    }
    if (options.json) context.print(JSON.stringify({ dataset, sets: outcomes.map(outcomeRecord) }));
    else if (outcomes.length === 0) context.print(`${dataset}: nothing is damaged`);
    else for (const outcome of outcomes) printOutcome(context, outcome, options['dry-run']);
    if (outcomes.some((one) => !one.mended) && !options['dry-run']) process.exitCode = EXIT.data;
  },
};

interface Outcome {
  readonly report: RepairReport;
  /** Rows computed again. */
  readonly computed: number;
  /** Why something is left to do. */
  readonly notes: readonly string[];
  readonly mended: boolean;
}

async function mend(context: Context, check: SetCheck, options: RepairCommandOptions): Promise<Outcome> {
  const { location } = check;
  const plan = planRepair(check);
  if (options['dry-run']) return { report: plan, computed: 0, notes: [], mended: false };
  if (!isWritable(location.folder)) {
    const notes = [`${location.folder} may not be written: ask its owner to run this command`];
    return { report: { ...plan, removed: [], salvaged: 0 }, computed: 0, notes, mended: false };
  }
  const report = repairSet(check, { now: new Date() });
  const notes = [...report.skipped];
  const manifest = manifestOrNull(context, location.dataset);
  const ids = wantedIds(context, report);
  let computed = 0;
  if (ids.size > 0) {
    if (!options.extract) notes.push('lost rows are not computed again (--no-extract)');
    else if (manifest === null)
      notes.push('there is no manifest, so lost rows cannot be computed again: pull the set');
    else {
      const again = await extractAgain(context, report, manifest, ids, options);
      computed = again.computed;
      if (again.why !== null) notes.push(again.why);
    }
  }
  const after = await verifySet(location, { reporter: context.reporter, signal: context.signal });
  if (isDamaged(after) && !options.json) printChecks(context, [after]);
  return { report, computed, notes, mended: !isDamaged(after) && notes.length === 0 };
}

/** Rows that are gone; and where an index part was made anew, all rows, whose inputs are compared with the manifest. */
function wantedIds(context: Context, { location, redo, parts }: RepairReport): Set<string> {
  const ids = new Set(redo);
  if (parts.length === 0) return ids;
  const index = readFeatureSetIndex(context.stores, location);
  for (const id of [...index.rows.keys(), ...index.quarantined.keys()]) ids.add(id);
  return ids;
}

interface Again {
  readonly computed: number;
  readonly why: string | null;
}

async function extractAgain(
  context: Context,
  { location, redo }: RepairReport,
  manifest: Manifest,
  ids: ReadonlySet<string>,
  options: RepairCommandOptions,
): Promise<Again> {
  const some = `${count(redo.length, 'row')} of ${setTitle(location)}`;
  const [known] = findFeatureSets([location.store], location.dataset, location.feature).filter(
    ({ fingerprint }) => fingerprint === location.fingerprint,
  );
  if (known !== undefined && isImported(known.spec)) {
    // rows whose entry was read from a damaged index are as good as their checksums: nothing is left to be compared
    if (redo.length === 0) return { computed: 0, why: null };
    return {
      computed: 0,
      why: `${some}: it was imported; run the same features import again, it fills what is lost`,
    };
  }
  const model = findModel(context, location.store, location.feature, manifest);
  if (model === null)
    return {
      computed: 0,
      why: `${some}: no encoder of that name is known here; compute or pull them elsewhere`,
    };
  const root = givenRoot(context, location.dataset, options.root);
  if (root === undefined && model.form.kind === 'audio')
    return {
      computed: 0,
      why: `${some}: where the corpus lies is not known; run again with --root <folder>`,
    };
  const request = (dtype: FeatureDtype): ExtractOptions => ({
    dataset: location.dataset,
    root: root ?? context.folder,
    utterances: manifest.utterances.filter(({ id }) => ids.has(id)),
    models: [model],
    store: location.store,
    readStores: context.stores.filter((store) => store !== location.store),
    dtype,
    device: options.device,
    reporter: context.reporter,
    signal: context.signal,
    ...(options.threads === undefined ? {} : { threads: options.threads }),
  });
  let other = '';
  for (const dtype of ['float16', 'float32'] as const) {
    const [plan] = await planFeatures(request(dtype));
    if (plan?.spec.fingerprint === location.fingerprint) {
      const [set] = await extractFeatures(request(dtype));
      return { computed: set?.computed ?? 0, why: null };
    }
    if (known && plan && (other === '' || known.spec.dtype === dtype))
      other = describeDifferences(diffComputation(known.spec.computation, plan.spec.computation));
  }
  return {
    computed: 0,
    why: `${some}: this lsgmer computes another fingerprint (${other}), and features are never mixed; extract the feature anew`,
  };
}

/** The encoder whose output a feature is, where a preset has it. */
function findModel(
  context: Context,
  store: string,
  feature: string,
  manifest: Manifest,
): EncoderModel | null {
  for (const [preset, names] of Object.entries(FEATURE_PRESETS)) {
    if (!(names as readonly string[]).includes(feature)) continue;
    try {
      const models = preparePreset(preset, {
        models: join(store, manifest.card.name, 'models'),
        texts: manifest.utterances.map(({ text }) => text),
      });
      return models.find(({ name }) => name === feature) ?? null;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      context.reporter.warn(error.message);
    }
  }
  return null;
}

/** Lines of one kind that are shown of a set. */
const SHOWN = 10;

function printOutcome(context: Context, { report, computed, notes, mended }: Outcome, dryRun: boolean): void {
  const would = dryRun ? 'would be ' : '';
  context.print(
    `${setTitle(report.location)} in ${report.location.store}: ${dryRun ? 'damaged' : mended ? 'mended' : 'NOT mended'}`,
  );
  if (report.spec) context.print(`  feature.json ${would}written anew from the shards`);
  for (const { name, rows, unknownInputs } of report.parts)
    context.print(
      dryRun
        ? `  index part ${name} would be made anew from its shards`
        : `  index part ${name} made anew from its shards: ${count(rows, 'row')}, ${unknownInputs} of unknown input`,
    );
  for (const path of shortened(report.removed, SHOWN)) context.print(`  to the trash: ${path}`);
  if (report.salvaged > 0)
    context.print(`  ${count(report.salvaged, 'whole row')} of damaged shards ${would}kept`);
  if (report.redo.length > 0) {
    context.print(
      `  ${count(report.redo.length, 'row')} lost${dryRun ? ', to be computed again' : `, ${computed} computed again`}`,
    );
    for (const id of shortened(report.redo, SHOWN)) context.print(`    ${id}`);
  } else if (computed > 0) context.print(`  ${count(computed, 'row')} computed again`);
  for (const note of notes) context.print(`  ${note}`);
}

function outcomeRecord({ report, computed, notes, mended }: Outcome): object {
  const { location, ...rest } = report;
  const { dataset, feature, fingerprint, store } = location;
  return { dataset, feature, fingerprint, store, mended, ...rest, computed, notes };
}
