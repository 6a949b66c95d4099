import { join, resolve } from 'node:path';
import { type Card, ceilings, readManifest, UserError, type Utterance } from '@lsgmer/datasets';
import type { CommandModule } from 'yargs';
import { type CommonOptions, type Context, createContext } from '../context.ts';
import { cardOf, chooseDataset, datasetsIn, givenRoot, rememberRoot } from '../dataset.ts';
import { publishedRows } from '../published.ts';
import { serveReport } from '../report-server.ts';
import { VERSION } from '../version.ts';

interface ReportOptions extends CommonOptions {
  dataset?: string | undefined;
  task?: string | undefined;
  select: 'last' | 'dev' | 'oracle-test';
  missing: 'wrong' | 'drop' | 'mask';
  out?: string | undefined;
  seed: number;
  serve: boolean;
  port: number;
  root?: string | undefined;
  json: boolean;
}

export const reportCommand: CommandModule<object, ReportOptions> = {
  command: 'report',
  describe: 'tables, figures and utterance explorer of the finished runs, as pages that need no network',
  builder: (y) =>
    y
      .option('dataset', { type: 'string', describe: 'name of the dataset' })
      .option('task', { type: 'string', describe: 'task of the card (default: its first with runs)' })
      .option('select', {
        choices: ['last', 'dev', 'oracle-test'] as const,
        default: 'last' as const,
        describe: 'which epoch tables and figures are from, where they do not show all',
      })
      .option('missing', {
        choices: ['wrong', 'drop', 'mask'] as const,
        default: 'drop' as const,
        describe:
          'test utterances without features: counted as errors, left out (not comparable), or as predicted with --missing mask',
      })
      .option('out', { type: 'string', describe: 'folder of the report (default: reports/<dataset>/<task>)' })
      .option('seed', { type: 'number', default: 1, describe: 'seed of the projection' })
      .option('serve', {
        type: 'boolean',
        default: false,
        describe: 'serve the report on this machine alone, with sound; ends with Ctrl-C',
      })
      .option('port', { type: 'number', default: 0, describe: 'port of --serve (default: any free one)' })
      .option('root', { type: 'string', describe: 'folder of the corpus, for sound (remembered)' })
      .option('json', { type: 'boolean', default: false, describe: 'what was written, as JSON on stdout' })
      .example('$0 report --dataset demo', '')
      .example('$0 report --dataset demo --select oracle-test --out oracle', '')
      .example('$0 report --dataset iemocap --serve', ''),
  handler: async (options) => {
    checkNumbers(options);
    const context = createContext(options);
    const dataset = chooseDataset(context, options.dataset);
    const { card, utterances } = manifestOf(context, dataset);
    const written = await makeReport(context, card, utterances, options);
    const { page, explorer, tables, figures } = written;
    if (options.json) context.print(JSON.stringify(written));
    else
      context.print(
        `${tables} tables and ${figures} figures in ${page}\n${written.utterances} utterances in ${explorer}`,
      );
    if (!options.serve) return;
    if (options.root !== undefined) rememberRoot(context, dataset, resolve(context.folder, options.root));
    await serveReport(context, {
      folder: written.folder,
      port: options.port,
      root: givenRoot(context, dataset, options.root),
      utterances: utterances ?? [],
    });
  },
};

function checkNumbers({ seed, port }: ReportOptions): void {
  if (!Number.isInteger(seed)) throw new UserError('--seed: expected a whole number');
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new UserError('--port: expected a whole number from 0 to 65535');
}

interface Written {
  readonly folder: string;
  readonly page: string;
  readonly explorer: string;
  readonly tables: number;
  readonly figures: number;
  /** Of the page. */
  readonly bytes: number;
  /** In the explorer. */
  readonly utterances: number;
}

async function makeReport(
  context: Context,
  card: Card,
  utterances: readonly Utterance[] | null,
  { task, select, missing, seed, out }: ReportOptions,
): Promise<Written> {
  // the plotting library takes a while to load: only here
  const { EXPLORER, gatherReport, PAGE, writeExplorer, writeReport } = await import('@lsgmer/report');
  const data = gatherReport({ runs: context.runs, card, task, utterances, select, missing, seed });
  const folder = resolve(context.folder, out ?? join('reports', card.name, data.task.name));
  const { reporter } = context;
  const report = writeReport(data, {
    out: folder,
    published: publishedRows(card.name, data.task.name),
    ceilings: card.name === 'demo' ? ceilings() : undefined,
    explorer: EXPLORER,
    footer: `lsgmer ${VERSION}`,
    reporter,
  });
  const explorer = writeExplorer(data, { out: folder, stores: context.stores, report: PAGE, reporter });
  return { folder, ...report, explorer: join(folder, EXPLORER), utterances: explorer.utterances };
}

/** The manifest, or the committed card alone where only the runs are here: texts and speakers are left out then. */
function manifestOf(
  context: Context,
  dataset: string,
): { readonly card: Card; readonly utterances: readonly Utterance[] | null } {
  if (datasetsIn(context.stores).includes(dataset)) return readManifest(context.stores, dataset);
  const card = cardOf(context, dataset);
  if (card === null)
    throw new UserError(
      `no manifest of dataset '${dataset}' in ${context.stores.join(', ')}, and no card of that name: build it with make manifest DATASET=${dataset} ROOT=<folder of the corpus>`,
    );
  context.reporter.warn(`no manifest of ${dataset} in the store: the report is without texts and speakers`);
  return { card, utterances: null };
}
