import type { CommandModule } from 'yargs';
import { checkHead, configure, KNOWN_HEADS, onnxEngine, eagerEngine, readSettings } from '@lsgmer/train';
import { type CommonOptions, createContext } from '../context.ts';
import { useTfjsBackend } from '../engine-choice.ts';
import { EXIT } from '../exit.ts';
import { findHead } from '../head-choice.ts';
import { plainTable } from '../ui/table.ts';

interface ListOptions extends CommonOptions {
  json: boolean;
}

const listCommand: CommandModule<object, ListOptions> = {
  command: 'list',
  describe: 'the heads that come with lsgmer; train --head takes one of them or a file',
  builder: (y) => y.option('json', { type: 'boolean', default: false, describe: 'as JSON on stdout' }),
  handler: (options) => {
    const context = createContext(options);
    const rows = KNOWN_HEADS.map(({ name, summary = '', options: keys }) => ({
      name,
      summary,
      options: keys.map(({ key }) => key),
    }));
    if (options.json) context.print(JSON.stringify(rows));
    else context.print(plainTable(rows.map((row) => [row.name, row.summary])));
  },
};

interface CheckOptions extends CommonOptions {
  head: string;
  set?: string[] | undefined;
  json: boolean;
}

const checkCommand: CommandModule<object, CheckOptions> = {
  command: 'check <head>',
  describe:
    'try a head at small sizes: both engines, finite differences, padding, kernels (exit code 3 where one fails)',
  builder: (y) =>
    y
      .positional('head', {
        type: 'string',
        demandOption: true,
        describe: 'name, or path of a .ts, .js or .mjs file',
      })
      .option('set', {
        type: 'string',
        array: true,
        nargs: 1,
        describe: "key=value of the head's options; again for more",
      })
      .option('json', { type: 'boolean', default: false, describe: 'as JSON on stdout' })
      .example('$0 head check le-mer --set label.pool=concat', '')
      .example('$0 head check ./my-head.ts', ''),
  handler: async (options) => {
    const context = createContext(options);
    const head = await findHead(options.head, context.folder);
    const known = new Set(head.options.map(({ key }) => key));
    // small unless told otherwise: finite differences go through every tensor
    const small = Object.entries({ d: 8, heads: 2 }).filter(([key]) => known.has(key));
    const { head: config } = configure(head, [
      { from: 'head check', set: Object.fromEntries(small) },
      readSettings(head, options.set ?? []),
    ]);
    await useTfjsBackend({ ...context.reporter, info: () => {} });
    const checks = await checkHead(head, config, {
      eager: await eagerEngine(),
      traced: await onnxEngine({ device: 'cpu', threads: 1 }),
    });
    if (options.json) context.print(JSON.stringify({ head: head.name, config, checks }));
    else context.print(plainTable(checks.map((one) => [one.name, one.ok ? 'ok' : 'FAILED', one.detail])));
    if (checks.some((one) => !one.ok)) process.exitCode = EXIT.data;
  },
};

export const headCommand: CommandModule = {
  command: 'head',
  describe: 'the heads there are; check one, of your own too',
  builder: (y) =>
    y
      .command(listCommand as CommandModule)
      .command(checkCommand as unknown as CommandModule)
      .demandCommand(1, 1, 'Name what to do: list or check.', 'One at a time.'),
  handler: () => {},
};
