import {
  isDamaged,
  isImported,
  isWritable,
  openRemote,
  planRepair,
  refetchDamaged,
  type RefetchOptions,
  refetchRows,
  type Remote,
  repairSet,
  type SetCheck,
  unreadableShards,
  verifySet,
} from '@lsgmer/datasets';
import type { CommandModule } from 'yargs';
import { type Context, createContext } from '../../context.ts';
import { chooseDataset } from '../../dataset.ts';
import { EXIT } from '../../exit.ts';
import { extractAgain, isUnsure, type RecomputeOptions, wantedIds } from './recompute.ts';
import { type Outcome, outcomeRecord, printOutcome } from './repair-outcome.ts';
import { SHARE_OPTIONS } from './share.ts';
import { printChecks } from './verify.ts';
import {
  chosenSets,
  DATASET,
  DRY_RUN,
  FEATURE,
  JSON_OPTION,
  manifestOrNull,
  manifestProblems,
  type SetOptions,
} from './sets.ts';

interface RepairCommandOptions extends SetOptions, RecomputeOptions {
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
      const again = await extractAgain(context, report, manifest, ids, options);
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
