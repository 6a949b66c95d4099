import { join, resolve } from 'node:path';
import {
  changedRecordings,
  collectCorpus,
  type Finding,
  firstWritableStore,
  leakTotals,
  readManifest,
  UserError,
  type Utterance,
  validateCorpus,
  type Validation,
  writeFileAtomic,
} from '@lsgmer/datasets';
import type { CommandModule } from 'yargs';
import { type Context, createContext } from '../context.ts';
import { cardOf, chooseDataset, givenRoot, rememberRoot, requireStored } from '../dataset.ts';
import { EXIT } from '../exit.ts';
import { findingsText, leakageText } from '../ui/findings.ts';
import { manifestOrNull } from './features/sets.ts';
import { type CorpusOptions, corpusOptions, tableOptions, textOptions } from './manifest-corpus.ts';

export const validate: CommandModule<object, CorpusOptions> = {
  command: 'validate',
  describe: 'list every problem of a corpus at once; exit code 3 where there are errors',
  builder: (y) =>
    corpusOptions(y)
      .example('$0 manifest validate --dataset iemocap', '')
      .example('$0 manifest validate --dataset meld --subset --media headers --report problems.jsonl', ''),
  handler: async (options) => {
    const context = createContext(options);
    const dataset = chooseDataset(context, options.dataset);
    const validation = await validated(context, dataset, options);
    if (options.json) {
      const leakage = validation.leakage.map((one) => ({
        task: one.task,
        protocol: one.protocol,
        totals: leakTotals(one),
      }));
      context.print(JSON.stringify({ dataset, findings: validation.findings, leakage }));
      writeReport(reportFile(context, dataset, options.report), validation);
    } else reportValidation(context, dataset, validation, options);
    setExitCode(validation.findings);
  },
};

/** Reads the corpus again where its root is known, else checks the manifest that the store has. */
async function validated(context: Context, dataset: string, options: CorpusOptions): Promise<Validation> {
  const root = givenRoot(context, dataset, options.root);
  const { subset } = options;
  if (root === undefined) {
    requireStored(context, dataset);
    const { card, utterances } = readManifest(context.stores, dataset);
    context.reporter.info(
      `no root of ${dataset} is known: checking its manifest alone (--root reads the corpus)`,
    );
    return validateCorpus({ card, utterances, subset });
  }
  const table = tableOptions(context, dataset, options.columns);
  const collected = await collectCorpus({
    dataset,
    root,
    card: cardOf(context, dataset, options.card),
    media: options.media,
    store: firstWritableStore(context.stores),
    reporter: context.reporter,
    signal: context.signal,
    ...(table === undefined ? {} : { table }),
    ...textOptions(context, options),
  });
  rememberRoot(context, dataset, root);
  const changed = changedRecordings(storedRows(context, dataset), collected.utterances);
  return validateCorpus({ ...collected, problems: [...(collected.problems ?? []), ...changed], subset });
}

/** Rows of the manifest that a store has, for comparison; a damaged one is said, and left to `features verify`. */
function storedRows(context: Context, dataset: string): readonly Utterance[] {
  try {
    return manifestOrNull(context, dataset)?.utterances ?? [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    context.reporter.warn(error.message);
    return [];
  }
}

/** A summary that fits a screen; every finding goes to a file. */
export function reportValidation(
  context: Context,
  dataset: string,
  validation: Validation,
  options: { readonly all: boolean; readonly report?: string | undefined },
): void {
  const { findings, leakage } = validation;
  context.print(findingsText(findings, options.all));
  const shared = leakageText(leakage);
  if (shared !== '') context.print(shared);
  const file = reportFile(context, dataset, options.report);
  writeReport(file, validation);
  if (findings.length > 0) context.print(`all ${findings.length} in ${file}`);
}

export function reportFile(context: Context, dataset: string, given: string | undefined): string {
  return given === undefined
    ? join(firstWritableStore(context.stores), dataset, 'validation.jsonl')
    : resolve(context.folder, given);
}

/** A JSON line for each finding, in the order in which they are shown; an empty file where there is none. */
export function writeReport(file: string, { findings }: Validation): void {
  try {
    writeFileAtomic(file, findings.map((finding) => `${JSON.stringify(finding)}\n`).join(''));
  } catch (error) {
    throw new UserError(`cannot write the report ${file}: ${(error as Error).message}`);
  }
}

/** Only errors are unexpected. */
export function setExitCode(findings: readonly Finding[]): void {
  if (findings.some((finding) => finding.level === 'error')) process.exitCode = EXIT.data;
}
