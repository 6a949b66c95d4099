import { resolve } from 'node:path';
import { ceilings, generateDemo } from '@lsgmer/datasets';
import type { CommandModule } from 'yargs';
import { type CommonOptions, createContext } from '../context.ts';
import type { Ceilings } from '../ui/scores.ts';
import { runExtraction } from './features/extract.ts';
import { DEFAULT_EXTRACT_OPTIONS } from './features/extract-options.ts';
import { runBuild } from './manifest-build.ts';
import { runTraining } from '../training.ts';

interface DemoOptions extends CommonOptions {
  root: string;
  seeds?: string | undefined;
  threads?: number | undefined;
  json: boolean;
}

export const demoCommand: CommandModule<object, DemoOptions> = {
  command: 'demo',
  describe: 'the whole pipeline on a generated corpus: manifest, features, five folds, table',
  builder: (y) =>
    y
      .option('root', { type: 'string', default: './demo-corpus', describe: 'where the corpus is generated' })
      .option('seeds', {
        type: 'string',
        describe: "training seeds: how many (3) or which (7,8; one alone: 9,); the recipe's when left out",
      })
      .option('threads', { type: 'number', describe: 'threads (default: all cores)' })
      .option('json', {
        type: 'boolean',
        default: false,
        describe: 'result of the training as JSON on stdout',
      })
      .example('$0 demo', ''),
  handler: async (options) => {
    const context = createContext(options);
    const { reporter, signal } = context;
    const root = resolve(context.folder, options.root);
    // with --json stdout carries the training's result alone
    const stages = options.json ? { ...context, print: (text: string) => reporter.info(text) } : context;
    const threads = options.threads;

    reporter.info('1/4 corpus: synthetic speech and words in the layout of IEMOCAP');
    const made = await generateDemo(root, { reporter, signal });
    if (!made) reporter.info(`the corpus in ${root} is whole already`);

    reporter.info('2/4 manifest');
    await runBuild(stages, 'demo', { root, media: 'hash', subset: false, all: false, json: false });

    reporter.info('3/4 features: encoders at toy size with random weights');
    await runExtraction(stages, 'demo', {
      ...DEFAULT_EXTRACT_OPTIONS,
      root,
      preset: 'tiny',
      device: 'cpu',
      threads,
    });

    reporter.info('4/4 training: five folds each of the full head, text only, audio only, no label guidance');
    await runTraining(
      context,
      'demo',
      {
        recipe: 'demo',
        fold: 'all',
        seeds: options.seeds,
        device: 'cpu',
        threads,
        epochs: false,
        options: false,
        'print-config': false,
        'dry-run': false,
        json: options.json,
      },
      bestPossible(),
    );
  },
};

/** The recipe's variants by name: what the best decision on the corpus's cues would score. */
function bestPossible(): Ceilings {
  const { both, text, audio } = ceilings();
  return { full: both, text, audio, 'no-lsma-joo': both };
}
