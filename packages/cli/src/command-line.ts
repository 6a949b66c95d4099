import yargs, { type Argv, type CommandModule } from 'yargs';
import { UsageError, usageMessage } from './usage.ts';
import { VERSION } from './version.ts';

type Command = CommandModule;

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

/** The command that the line begins with; all of them where it begins with none (help, a mistyped word). */
async function commandsFor(argv: readonly string[]): Promise<Command[]> {
  const named = COMMANDS[argv[0] ?? ''];
  return Promise.all((named === undefined ? Object.values(COMMANDS) : [named]).map((load) => load()));
}

/** What yargs has under way, and its types do not tell. */
interface UnderWay {
  getOptions(): { readonly key: { readonly [option: string]: unknown } };
  getGroups(): { readonly [heading: string]: readonly string[] };
  getInternalMethods(): {
    getCommandInstance(): { getCommands(): string[] };
    getContext(): { readonly commands: readonly string[] };
  };
}

/**
 * The parser of one command line; `parseAsync` runs the command that it names.
 * @throws UsageError out of `parseAsync` for a line that is no command of lsgmer
 */
export async function parserOf(argv: readonly string[]): Promise<Argv> {
  const parser: Argv = yargs([...argv])
    .detectLocale(false)
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
    .middleware((given) => checkGiven(given, parser), true)
    .strict()
    .recommendCommands()
    .wrap(Math.min(110, process.stdout.columns ?? 110))
    .version(VERSION)
    .help()
    .alias('help', 'h')
    .exitProcess(false)
    .fail((message, error) => {
      if (error !== undefined && error !== null) throw error;
      const yargs = parser as unknown as UnderWay;
      const text = usageMessage(message, argv, {
        options: Object.keys(yargs.getOptions().key),
        commands: yargs.getInternalMethods().getCommandInstance().getCommands(),
        positionals: yargs.getGroups()['Positionals:'] ?? [],
      });
      throw new UsageError(text, commandOf(parser));
    });
  return parser;
}

/** The words of the command that is under way: `features extract`. */
const commandOf = (parser: unknown): readonly string[] => [
  ...(parser as UnderWay).getInternalMethods().getContext().commands,
];

/** Options that may be given several times (model-choice.ts has most of them); yargs has names with a dash in both spellings. */
const REPEATED = new Set(
  '_ set grid row model layers final-norm finalNorm special-tokens specialTokens pool stride dtype'.split(
    ' ',
  ),
);

/** What yargs lets pass: an option given twice, and numbers that are none. */
function checkGiven(given: { [option: string]: unknown }, parser: unknown): void {
  for (const [option, value] of Object.entries(given))
    if (Array.isArray(value) && !REPEATED.has(option))
      throw new UsageError(`--${option} is given more than once`, commandOf(parser));
  const { threads } = given;
  if (threads !== undefined && !(Number.isInteger(threads) && (threads as number) >= 1))
    throw new UsageError('--threads: expected a whole number from 1 on', commandOf(parser));
}
