#!/usr/bin/env node
import yargs, { type CommandModule } from 'yargs';
import { hideBin } from 'yargs/helpers';
import { endProgress, receivedSignal } from './context.ts';
import { describeError, EXIT } from './exit.ts';
import { VERSION } from './version.ts';

/** Commands are loaded when they are needed: a manifest command need not wait for the engine. */
const COMMANDS: { readonly [word: string]: () => Promise<Command> } = {
  demo: async () => (await import('./commands/demo.ts')).demoCommand as Command,
  manifest: async () => (await import('./commands/manifest.ts')).manifestCommand,
  features: async () => (await import('./commands/features.ts')).featuresCommand,
  push: async () => (await import('./commands/features/push.ts')).pushCommand as Command,
  pull: async () => (await import('./commands/features/pull.ts')).pullCommand as Command,
  train: async () => (await import('./commands/train.ts')).trainCommand as Command,
  probe: async () => (await import('./commands/probe.ts')).probeCommand as Command,
  compare: async () => (await import('./commands/compare.ts')).compareCommand as Command,
  runs: async () => (await import('./commands/runs.ts')).runsCommand,
  report: async () => (await import('./commands/report.ts')).reportCommand as Command,
  eval: async () => (await import('./commands/eval.ts')).evalCommand as unknown as Command,
  export: async () => (await import('./commands/export.ts')).exportCommand as unknown as Command,
  predict: async () => (await import('./commands/predict.ts')).predictCommand as unknown as Command,
  head: async () => (await import('./commands/head.ts')).headCommand,
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand as Command,
};
type Command = CommandModule;

/** The command that the line begins with; all of them where it begins with none (help, a mistyped word). */
async function commandsFor(argv: readonly string[]): Promise<Command[]> {
  const named = COMMANDS[argv[0] ?? ''];
  return Promise.all((named === undefined ? Object.values(COMMANDS) : [named]).map((load) => load()));
}

/** Runs one command line; returns the exit code. */
async function main(argv: string[]): Promise<number> {
  let failure: string | undefined;
  const parser = yargs(argv)
    .scriptName('lsgmer')
    .usage(
      '$0 <command>: frozen encoders once, then many small LSGMER heads (speech + text emotion recognition)',
    )
    .option('store', {
      type: 'string',
      describe: 'folder of manifests and features; several with ":"',
      global: true,
    })
    .option('runs', { type: 'string', describe: 'folder of training runs', global: true })
    .option('quiet', { type: 'boolean', describe: 'no progress, warnings only', global: true })
    .command(await commandsFor(argv))
    .demandCommand(1, 1, `Name a command: ${Object.keys(COMMANDS).join(', ')}.`, 'One command at a time.')
    .middleware(checkGiven, true)
    .strict()
    .recommendCommands()
    .wrap(Math.min(110, process.stdout.columns ?? 110))
    .version(VERSION)
    .help()
    .alias('help', 'h')
    .exitProcess(false)
    .fail((message, error) => {
      if (error !== undefined && error !== null) throw error;
      failure = message;
      throw new UsageError(message);
    });
  try {
    await parser.parseAsync();
    return (process.exitCode as number | undefined) ?? EXIT.done;
  } catch (error) {
    endProgress();
    if (error instanceof UsageError || failure !== undefined) {
      process.stderr.write(
        `lsgmer: ${oneLine(failure ?? (error as Error).message)} (lsgmer ${commandWords(argv)}--help shows what there is)\n`,
      );
      return EXIT.user;
    }
    const { code, text } = describeError(error, receivedSignal());
    process.stderr.write(`${text}\n`);
    return code;
  }
}

/** Options that may be given several times (model-choice.ts has most of them); yargs has names with a dash in both spellings. */
const REPEATED = new Set(
  '_ set grid row model layers final-norm finalNorm special-tokens specialTokens pool stride dtype'.split(
    ' ',
  ),
);

/** What yargs lets pass: an option given twice, and numbers that are none. */
function checkGiven(given: { [option: string]: unknown }): void {
  for (const [option, value] of Object.entries(given))
    if (Array.isArray(value) && !REPEATED.has(option))
      throw new UsageError(`--${option} is given more than once`);
  const { threads } = given;
  if (threads !== undefined && !(Number.isInteger(threads) && (threads as number) >= 1))
    throw new UsageError('--threads: expected a whole number from 1 on');
}

class UsageError extends Error {}

const oneLine = (text: string): string =>
  text
    .replaceAll(/:?\s*\n\s*/g, '; ')
    .replace(/^Invalid values; /, '')
    .replace(/[.:;\s]+$/, '');

/** The leading words of the command line: `features extract `. */
function commandWords(argv: readonly string[]): string {
  const words: string[] = [];
  for (const word of argv) {
    if (word.startsWith('-') || words.length === 2) break;
    words.push(word);
  }
  return words.map((w) => `${w} `).join('');
}

const code = await main(hideBin(process.argv));
// Encoders and sessions may still hold native threads: leave without waiting for them, but after stdout has drained.
process.stdout.write('', () => process.exit(code));
