import { hideBin } from 'yargs/helpers';
import { parserOf } from './command-line.ts';
import { endProgress, receivedSignal } from './context.ts';
import { describeError, EXIT } from './exit.ts';
import { UsageError } from './usage.ts';

/** Runs one command line; returns the exit code. */
async function main(argv: string[]): Promise<number> {
  try {
    await (await parserOf(argv)).parseAsync();
    return (process.exitCode as number | undefined) ?? EXIT.done;
  } catch (error) {
    endProgress();
    if (error instanceof UsageError) {
      const help = ['lsgmer', ...error.command, '--help'].join(' ');
      process.stderr.write(`lsgmer: ${error.message} (${help} shows what there is)\n`);
      return EXIT.user;
    }
    const { code, text } = describeError(error, receivedSignal());
    process.stderr.write(`${text}\n`);
    return code;
  }
}

const code = await main(hideBin(process.argv));
// Encoders and sessions may still hold native threads: leave without waiting for them, but after stdout has drained.
process.stdout.write('', () => process.exit(code));
