import { basename, resolve } from 'node:path';
import {
  checkName,
  type FeatureDtype,
  firstWritableStore,
  FOREIGN_FORMATS,
  type ForeignFormat,
  importFeatures,
  type ImportReport,
  openForeign,
  readManifest,
  setTitle,
  TRASH_DAYS,
  UserError,
} from '@lsgmer/datasets';
import type { CommandModule } from 'yargs';
import { type CommonOptions, type Context, createContext } from '../../context.ts';
import { chooseDataset, requireStored } from '../../dataset.ts';
import { EXIT } from '../../exit.ts';
import { importInput } from '../../freshness.ts';
import { VERSION } from '../../version.ts';
import { count, DATASET, DRY_RUN, JSON_OPTION, shortened } from './sets.ts';

interface ImportCommandOptions extends CommonOptions {
  path: string;
  dataset?: string | undefined;
  name: string;
  kind: 'text' | 'audio';
  format?: ForeignFormat | undefined;
  'id-column'?: string | undefined;
  column?: string | undefined;
  'length-column'?: string | undefined;
  split?: string | undefined;
  dim?: number | undefined;
  layer?: number | undefined;
  transpose: boolean;
  'store-dtype': FeatureDtype;
  overflow: 'error' | 'float32';
  invalid: 'error' | 'quarantine';
  unknown: 'error' | 'skip';
  'frame-seconds'?: number | undefined;
  'first-seconds'?: number | undefined;
  'trained-on'?: string | undefined;
  part: string;
  replace: boolean;
  'dry-run': boolean;
  json: boolean;
}

export const importCommand: CommandModule<object, ImportCommandOptions> = {
  command: 'import <path>',
  describe: 'features made elsewhere: .npy, .npz, safetensors, Parquet or Arrow, a file or a folder',
  builder: (y) =>
    y
      .positional('path', { type: 'string', demandOption: true, describe: 'file, or folder of files' })
      .option('dataset', DATASET)
      .option('name', { type: 'string', demandOption: true, describe: 'name that the feature gets' })
      .option('kind', {
        choices: ['text', 'audio'] as const,
        demandOption: true,
        describe: 'what its steps are: tokens of the text, or frames of the recording',
      })
      .option('format', { choices: FOREIGN_FORMATS, describe: 'where a folder holds several' })
      .option('id-column', {
        type: 'string',
        describe: 'column of ids (default: utterance_id, id, name, ...)',
      })
      .option('column', { type: 'string', describe: 'column, array or tensor of the features' })
      .option('length-column', {
        type: 'string',
        describe: 'steps of each row, where rows are padded or flat',
      })
      .option('split', { type: 'string', describe: 'names are those of this split alone' })
      .option('dim', { type: 'number', describe: 'flat lists hold steps of so many values' })
      .option('layer', { type: 'number', describe: 'take this one of [layers, steps, values]' })
      .option('transpose', { type: 'boolean', default: false, describe: 'arrays are [values, steps]' })
      .option('store-dtype', {
        choices: ['float16', 'float32'] as const,
        default: 'float16' as const,
        describe: 'how features are stored',
      })
      .option('overflow', {
        choices: ['error', 'float32'] as const,
        default: 'error' as const,
        describe: "values beyond float16's range: refuse, or keep these rows as float32",
      })
      .option('invalid', {
        choices: ['error', 'quarantine'] as const,
        default: 'error' as const,
        describe:
          'arrays that cannot be stored: refuse all, or leave them out with the reason (steps of another width are always refused)',
      })
      .option('unknown', {
        choices: ['error', 'skip'] as const,
        default: 'error' as const,
        describe: 'names that mean no utterance',
      })
      .option('frame-seconds', { type: 'number', describe: 'time from one step to the next (audio)' })
      .option('first-seconds', {
        type: 'number',
        describe: 'time of the centre of the first step (default: half of --frame-seconds)',
      })
      .option('trained-on', { type: 'string', describe: 'data that the encoder was trained on, as a note' })
      .option('part', { type: 'string', default: 'import', describe: 'name of the index part' })
      .option('replace', {
        type: 'boolean',
        default: false,
        describe: 'take the place of an earlier import of this name, which goes to the trash',
      })
      .option('dry-run', DRY_RUN)
      .option('json', JSON_OPTION)
      .example(
        '$0 features import wavlm/ --dataset demo --name my-wavlm --kind audio --frame-seconds 0.02',
        '',
      )
      .example(
        '$0 features import bert.parquet --dataset meld --name my-bert --kind text --id-column file',
        '',
      ),
  handler: async (options) => {
    const context = createContext(options);
    const dataset = chooseDataset(context, options.dataset);
    requireStored(context, dataset);
    checkName('feature', options.name);
    const report = await runImport(context, dataset, options);
    if (options.json)
      context.print(JSON.stringify({ dataset, ...report, spec: undefined, ...setOf(report) }));
    else printReport(context, report, options);
    if (report.quarantined.length > 0) process.exitCode = EXIT.data;
  },
};

const setOf = ({ spec: { feature, fingerprint } }: ImportReport): object => ({ feature, fingerprint });

async function runImport(
  context: Context,
  dataset: string,
  options: ImportCommandOptions,
): Promise<ImportReport> {
  const times = timesOf(options);
  const path = resolve(context.folder, options.path);
  const { info, utterances } = readManifest(context.stores, dataset);
  const store = firstWritableStore(context.stores);
  const columns = { id: options['id-column'], column: options.column, length: options['length-column'] };
  const layout = {
    transpose: options.transpose,
    layer: wholeNumber('layer', options.layer, -Infinity),
    dim: wholeNumber('dim', options.dim, 1),
  };
  const source = await openForeign(path, columns, options.format);
  return importFeatures(
    {
      dataset,
      feature: options.name,
      kind: options.kind,
      source,
      utterances,
      split: options.split,
      inputOf: (utterance) => importInput(options.kind, utterance),
      store,
      readStores: context.stores.filter((other) => other !== store),
      part: options.part,
      replace: options.replace ? { now: new Date() } : undefined,
      layout,
      dtype: options['store-dtype'],
      onOverflow: options.overflow,
      onInvalid: options.invalid,
      onUnknown: options.unknown,
      ...times,
      trainedOn: options['trained-on'],
      provenance: {
        tool: `lsgmer ${VERSION}`,
        manifest: info.manifest.sha256,
        source: { name: basename(path), format: source.format, ...given(columns), ...given(layout) },
      },
      reporter: context.reporter,
      signal: context.signal,
    },
    options['dry-run'],
  );
}

/** What was said, without what was not. */
function given(values: { readonly [key: string]: string | number | boolean | null | undefined }): {
  [key: string]: string | number | boolean;
} {
  return Object.fromEntries(
    Object.entries(values).filter((pair): pair is [string, string | number | boolean] => !!pair[1]),
  );
}

function wholeNumber(option: string, value: number | undefined, least: number): number | null {
  if (value === undefined) return null;
  if (!Number.isInteger(value) || value < least)
    throw new UserError(`--${option} ${value}: expected a whole number${least === 1 ? ' from 1 on' : ''}`);
  return value;
}

function timesOf(options: ImportCommandOptions): { firstSeconds: number | null; stepSeconds: number | null } {
  const { 'frame-seconds': step, 'first-seconds': first } = options;
  if (step === undefined && first === undefined) return { firstSeconds: null, stepSeconds: null };
  if (options.kind === 'text')
    throw new UserError('--frame-seconds and --first-seconds are for --kind audio');
  if (step === undefined || !(step > 0)) throw new UserError('--frame-seconds: expected seconds above 0');
  if (first !== undefined && !Number.isFinite(first))
    throw new UserError('--first-seconds: expected seconds');
  return { firstSeconds: first ?? step / 2, stepSeconds: step };
}

/** Lines of one kind that are shown. */
const SHOWN = 10;

function printReport(context: Context, report: ImportReport, options: ImportCommandOptions): void {
  const { spec, rows, written, missing, quarantined, skipped, replaced } = report;
  const would = options['dry-run'] ? 'would be ' : '';
  context.print(
    `${setTitle(spec)}: ${count(rows, 'utterance')} with ${spec.kind} features of ${spec.dim} values as ${spec.dtype}; ${written} ${would}written, ${rows - written} there before`,
  );
  for (const set of replaced) {
    const used = set.runs === 0 ? '' : `; ${count(set.runs, 'run')} used it`;
    context.print(`  ${setTitle(set)} ${would}moved to the trash, for ${TRASH_DAYS} days${used}`);
  }
  if (spec.kind === 'audio' && spec.stepSeconds === null)
    context.print('  no times (--frame-seconds): a spectrogram map cannot be laid over it by time');
  const lists: [string, readonly string[]][] = [
    [`${missing.length} of the ${options.split ?? 'manifest'}'s utterances have none:`, missing],
    [`${quarantined.length} quarantined:`, quarantined.map(({ id, reason }) => `${id}: ${reason}`)],
    [
      `${skipped.length} arrays belong to no utterance and were passed over:`,
      skipped.map(({ place, reason }) => `${place}: ${reason}`),
    ],
  ];
  for (const [head, lines] of lists) {
    if (lines.length === 0) continue;
    context.print(`  ${head}`);
    for (const line of shortened(lines, SHOWN)) context.print(`    ${line}`);
  }
}
