import { describe, expect, it } from 'vitest';
import { parserOf } from '../src/command-line.ts';
import { UsageError } from '../src/usage.ts';

/** What a line that is no command costs: the text, and whose help is pointed to. */
async function refused(line: string): Promise<string> {
  try {
    await (await parserOf(line.split(' '))).parseAsync();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return `${error.message} | ${error.command.join(' ')}`;
  }
  throw new Error(`'${line}' was taken`);
}

describe('a command line that is none', () => {
  it.each([
    ['train --sees 5', 'no option --sees: did you mean --seeds? | train'],
    ['train --sees=5', 'no option --sees: did you mean --seeds? | train'],
    ['train --no-analysi', 'no option --no-analysi: did you mean --no-analysis? | train'],
    ['train --epochs 3', 'no option --epochs: settings are given as --set epochs=VALUE | train'],
    [
      'features extract --max-secnds 4',
      'no option --max-secnds: did you mean --max-seconds? | features extract',
    ],
    [
      'features extract --store-dtpe float32 --foo',
      'no option --store-dtpe: did you mean --store-dtype?; no option --foo | features extract',
    ],
    ['trian --fold 1', "no command 'trian': did you mean train? | "],
    ['runs lst', "no command 'lst': did you mean list? | runs"],
    // yargs itself would propose gc
    [
      'features foo',
      "no command 'foo': expected extract, import, export, status, verify, repair, inspect, compact, gc, push or pull | features",
    ],
    ['train foo', "'foo' is one word too many | train"],
    ['train --select devv', '--select devv: expected last, dev or oracle-test; did you mean dev? | train'],
    ['train --engine gpu', '--engine gpu: expected onnx or tfjs | train'],
    ['eval', 'missing: <run> | eval'],
    ['features export --to npy', 'missing: --feature and --out | features export'],
    ['train --seeds 3 --seeds 4', '--seeds is given more than once | train'],
    ['train --threads 1.5', '--threads: expected a whole number from 1 on | train'],
    ['runs', 'Name what to do: list, slices, export or delete | runs'],
  ])('%s: %s', async (line, text) => {
    expect(await refused(line)).toBe(text);
  });
});
