import { join } from 'node:path';
import {
  type FeatureDtype,
  type FoundFeatureSet,
  describeDifferences,
  diffComputation,
  findFeatureSets,
  isDamaged,
  isImported,
  isWritable,
  type Manifest,
  openRemote,
  planRepair,
  readFeatureSetIndex,
  type RebuiltRecord,
  refetchDamaged,
  type RefetchOptions,
  refetchRows,
  type Remote,
  type RepairReport,
  repairSet,
  type SetLocation,
  setTitle,
  type SetCheck,
  unreadableShards,
  UserError,
  verifySet,
} from '@lsgmer/datasets';
import {
  DEFAULT_DECODE_POLICY,
  type ExtractOptions,
  extractFeatures,
  planFeatures,
  readPolicy,
} from '@lsgmer/extract';
import type { CommandModule } from 'yargs';
import { type Context, createContext } from '../../context.ts';
import { chooseDataset, givenRoot } from '../../dataset.ts';
import { EXIT } from '../../exit.ts';
import { staleRows } from '../../freshness.ts';
import { recordedEncoder } from '../../recorded-encoder.ts';
import { SHARE_OPTIONS } from './share.ts';
import { printChecks } from './verify.ts';
import {
  chosenSets,
  count,
  DATASET,
  DRY_RUN,
  FEATURE,
  JSON_OPTION,
  manifestOrNull,
  manifestProblems,
  type SetOptions,
  shortened,
} from './sets.ts';

interface RepairCommandOptions extends SetOptions {
  root?: string | undefined;
  device: 'auto' | 'cpu' | 'cuda' | 'webgpu';
  threads?: number | undefined;
  extract: boolean;
  from?: string | undefined;
  timeout: number;
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
      .option('from', {
        type: 'string',
        describe:
          'remote that has the same content: damaged files are fetched anew, only the rest is computed',
      })
      .option('timeout', SHARE_OPTIONS.timeout)
      .option('dry-run', DRY_RUN)
      .option('json', JSON_OPTION)
      .example('$0 features repair --dataset meld --dry-run', '')
      .example('$0 features repair --dataset meld --from s3://bucket/ser', ''),
  handler: async (options) => {
    const context = createContext(options);
    const dataset = chooseDataset(context, options.dataset);
    const outcomes: Outcome[] = [];
    // what lies in the wrong folder is not damaged: only its owner knows which name is meant
    const misplaced: string[] = [];
    const manifest = manifestProblems(context, dataset, options.feature);
    const { folder, reporter, signal } = context;
    const silenceMs = options.timeout * 1000;
    const remote =
      options.from === undefined
        ? null
        : await openRemote(options.from, { folder, environment: process.env, silenceMs });
    try {
      for (const set of chosenSets(context, dataset, options.feature)) {
        const check = await verifySet(set, { reporter, signal });
        if (check.misplaced !== null) misplaced.push(check.misplaced);
        if (isWhole(check) || check.misplaced !== null) continue;
        outcomes.push(await mend(context, check, options, remote));
      }
    } finally {
      await remote?.close();
    }
    if (options.json)
      context.print(JSON.stringify({ dataset, misplaced, manifest, sets: outcomes.map(outcomeRecord) }));
    else if (outcomes.length === 0 && misplaced.length === 0 && manifest.length === 0)
      context.print(`${dataset}: nothing is damaged`);
    else for (const outcome of outcomes) printOutcome(context, outcome, options['dry-run']);
    if (!options.json)
      for (const line of [...misplaced, ...manifest]) context.print(`left as it is: ${line}`);
    if (
      (misplaced.length > 0 || manifest.length > 0 || outcomes.some((one) => !one.mended)) &&
      !options['dry-run']
    )
      process.exitCode = EXIT.data;
  },
};

const isWhole = (check: SetCheck): boolean => !isDamaged(check) && check.unlisted.every(({ whole }) => whole);

interface Outcome {
  readonly report: RepairReport;
  /** Files that came whole from the remote. */
  readonly fetched: readonly string[];
  /** Rows that came from the remote in other shards. */
  readonly fetchedRows: number;
  /** Rows computed again. */
  readonly computed: number;
  /** Why something is left to do. */
  readonly notes: readonly string[];
  readonly mended: boolean;
}

async function mend(
  context: Context,
  found: SetCheck,
  options: RepairCommandOptions,
  remote: Remote | null,
): Promise<Outcome> {
  const { location } = found;
  const none = { computed: 0, fetched: [], fetchedRows: 0 };
  if (!isWritable(location.folder)) {
    const notes = [`${location.folder} may not be written: ask its owner to run this command`];
    return { ...none, report: { ...planRepair(found), removed: [], salvaged: 0 }, notes, mended: false };
  }
  if (options['dry-run']) {
    const report = planRepair(found);
    const notes = remote === null ? [] : [`what ${remote.title} has of it would be fetched instead`];
    if (report.parts.some(isUnsure) && found.spec !== null && !isImported(found.spec))
      notes.push(
        'rows whose entry there names another text or recording than the manifest would be computed again, too',
      );
    return { ...none, report, notes, mended: false };
  }
  const { reporter, signal } = context;
  const refetch = remote && { remote, now: new Date(), reporter, signal };
  const { check, fetched } =
    refetch === null ? { check: found, fetched: [] } : await fetchAnew(found, refetch);
  const repaired = repairSet(check, { now: new Date() });
  const lost = new Set(repaired.redo);
  const back = new Set(refetch !== null && lost.size > 0 ? await refetchRows(check, lost, refetch) : []);
  const report = { ...repaired, redo: repaired.redo.filter((id) => !back.has(id)) };
  const notes = [...report.skipped];
  if (unreadableShards(check).length > 0)
    notes.push(
      'index and shards are damaged at once, and nothing says which rows these held: extract, pull or import again what `features status` misses',
    );
  const manifest = manifestOrNull(context, location.dataset);
  const ids = wantedIds(context, report, manifest);
  let computed = 0;
  if (ids.size > 0) {
    if (!options.extract) notes.push('lost rows are not computed again (--no-extract)');
    else if (manifest === null)
      notes.push('there is no manifest, so lost rows cannot be computed again: pull the set');
    else {
      const again = await extractAgain(context, report, manifest, ids, options).catch(whyNot);
      computed = again.computed;
      if (again.why !== null) notes.push(again.why);
    }
  }
  const after = await verifySet(location, { reporter: context.reporter, signal: context.signal });
  if (isDamaged(after) && !options.json) printChecks(context, [after]);
  const mended = !isDamaged(after) && notes.length === 0;
  return { report, computed, fetched, fetchedRows: back.size, notes, mended };
}

/** Most rounds of fetching: an index part that is whole again may name shards that are not. */
const ROUNDS = 2;

/** Puts the remote's copies in the place of damaged files, as far as it has them. */
async function fetchAnew(
  found: SetCheck,
  options: RefetchOptions,
): Promise<{ check: SetCheck; fetched: string[] }> {
  const { reporter, signal } = options;
  const fetched: string[] = [];
  let check = found;
  for (let round = 0; round < ROUNDS && !isWhole(check); round++) {
    const { files } = await refetchDamaged(check, options);
    if (files.length === 0) break;
    fetched.push(...files);
    check = await verifySet(found.location, {
      ...(reporter === undefined ? {} : { reporter }),
      ...(signal === undefined ? {} : { signal }),
    });
  }
  return { check, fetched };
}

const isUnsure = ({ unsureInputs }: RebuiltRecord): boolean => unsureInputs > 0;

/**
 * Rows that are gone; and where an index part was made anew, rows that were computed from another text or recording than the
 * manifest's: several of an utterance may have been there. Where entries were read from a damaged file, all rows are compared.
 */
function wantedIds(
  context: Context,
  { location, redo, parts }: RepairReport,
  manifest: Manifest | null,
): Set<string> {
  const ids = new Set(redo);
  if (parts.length === 0) return ids;
  const index = readFeatureSetIndex(context.stores, location);
  if (parts.some(isUnsure)) {
    for (const id of [...index.rows.keys(), ...index.quarantined.keys()]) ids.add(id);
    return ids;
  }
  const kind = knownSet(location)?.spec.kind;
  if (kind === undefined || manifest === null) return ids;
  const inputs = new Map([...index.rows].map(([id, { input }]) => [id, input]));
  for (const id of staleRows(kind, inputs, manifest.utterances).keys()) ids.add(id);
  return ids;
}

function knownSet({ store, dataset, feature, fingerprint }: SetLocation): FoundFeatureSet | undefined {
  return findFeatureSets([store], dataset, feature, () => {}).find((set) => set.fingerprint === fingerprint);
}

interface Again {
  readonly computed: number;
  readonly why: string | null;
}

/** What keeps rows from being computed is said beside what was mended. */
function whyNot(error: unknown): Again {
  if (error instanceof UserError) return { computed: 0, why: error.message };
  throw error;
}

async function extractAgain(
  context: Context,
  { location, redo }: RepairReport,
  manifest: Manifest,
  ids: ReadonlySet<string>,
  options: RepairCommandOptions,
): Promise<Again> {
  const some = `${count(redo.length, 'row')} of ${setTitle(location)}`;
  // where nothing says any more what the set is, the encoder of its name does
  const known = knownSet(location);
  if (known !== undefined && isImported(known.spec)) {
    // rows whose entry was read from a damaged index are as good as their checksums: nothing is left to be compared
    if (redo.length === 0) return { computed: 0, why: null };
    return {
      computed: 0,
      why: `${some}: it was imported; run the same features import again, it fills what is lost`,
    };
  }
  const texts = manifest.utterances.map(({ text }) => text);
  const model = await recordedEncoder(context, location, texts, known?.spec);
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
    policy: readPolicy(known?.spec.computation['decode']) ?? DEFAULT_DECODE_POLICY,
    device: options.device,
    cacheFolder: join(location.store, location.dataset),
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

/** Lines of one kind that are shown of a set. */
const SHOWN = 10;

function printOutcome(context: Context, outcome: Outcome, dryRun: boolean): void {
  const { report, computed, fetched, fetchedRows, notes, mended } = outcome;
  const would = dryRun ? 'would be ' : '';
  context.print(
    `${setTitle(report.location)} in ${report.location.store}: ${dryRun ? 'damaged' : mended ? 'mended' : 'NOT mended'}`,
  );
  for (const path of shortened(fetched, SHOWN)) context.print(`  fetched anew: ${path}`);
  const unknown = report.parts.some(({ unknownInputs }) => unknownInputs > 0);
  const lost = unknown ? 'lost, or of unknown input' : 'lost';
  if (fetchedRows > 0) context.print(`  ${count(fetchedRows, 'row')} ${lost}, and fetched`);
  const again =
    fetchedRows === 0
      ? 'computed again'
      : report.redo.length === 0
        ? 'fetched'
        : 'fetched, or computed again';
  if (report.spec) context.print(`  feature.json ${would}written anew from the shards`);
  for (const { name, rows, unknownInputs } of report.parts)
    context.print(
      `  index part ${name} ${would}made anew from its shards: ${count(rows, 'row')}` +
        (unknownInputs === 0
          ? ''
          : `; what ${unknownInputs} of them were computed from stood in the lost index alone, so they are ${again}`),
    );
  for (const path of shortened(report.removed, SHOWN)) context.print(`  to the trash: ${path}`);
  if (report.salvaged > 0)
    context.print(`  ${count(report.salvaged, 'whole row')} of damaged shards ${would}kept`);
  if (report.redo.length > 0) {
    context.print(
      `  ${count(report.redo.length, 'row')} ${lost}${dryRun ? ', to be computed again' : `, ${computed} computed again`}`,
    );
    for (const id of shortened(report.redo, SHOWN)) context.print(`    ${id}`);
  } else if (computed > 0) context.print(`  ${count(computed, 'row')} computed again`);
  for (const note of notes) context.print(`  ${note}`);
}

function outcomeRecord({ report, computed, fetched, fetchedRows, notes, mended }: Outcome): object {
  const { location, ...rest } = report;
  const { dataset, feature, fingerprint, store } = location;
  return { dataset, feature, fingerprint, store, mended, ...rest, computed, fetched, fetchedRows, notes };
}
