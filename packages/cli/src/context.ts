import { resolve } from 'node:path';
import { Interrupted, type Reporter } from '@lsgmer/datasets';
import { leaveSignals, STOP_SIGNALS } from './early-stop.ts';
import { type LocalFile, readLocalFile, runsFolder, storeList } from './settings.ts';
import { ScreenReporter } from './ui/reporter.ts';

/** What every command gets: where things are, where to say things, and when to stop. */
export interface Context {
  readonly folder: string;
  readonly local: LocalFile;
  readonly stores: readonly string[];
  readonly runs: string;
  readonly reporter: Reporter;
  /** Aborted by Ctrl-C, SIGTERM or SIGUSR1: finish what is in hand, save, throw Interrupted. */
  readonly signal: AbortSignal;
  /** Result text on stdout. */
  print(text: string): void;
}

export interface CommonOptions {
  readonly store?: string | undefined;
  readonly runs?: string | undefined;
  readonly quiet?: boolean | undefined;
}

let stopSignal: NodeJS.Signals | undefined;
let reporter: ScreenReporter | undefined;

/** The signal that asked this process to stop, if one did. */
export const receivedSignal = (): NodeJS.Signals | undefined => stopSignal;

/** Ends a half-drawn progress bar before an error is printed. */
export const endProgress = (): void => reporter?.endBar();

export function createContext(options: CommonOptions): Context {
  const folder = process.cwd();
  const local = readLocalFile(folder);
  const screen = {
    isTerminal: process.stderr.isTTY,
    columns: process.stderr.columns ?? 100,
    write: (text: string): void => void process.stderr.write(text),
    now: (): number => performance.now(),
  };
  const screenReporter = new ScreenReporter(screen, options.quiet === true);
  reporter = screenReporter;
  return {
    folder,
    local,
    stores: storeList(options.store, process.env, local).map((s) => resolve(folder, s)),
    runs: resolve(folder, runsFolder(options.runs, process.env, local)),
    reporter: screenReporter,
    signal: stopOnSignals(screenReporter),
    print: (text) => void process.stdout.write(`${text}\n`),
  };
}

/** The first signal asks for a clean stop; a second one ends the process at once. */
function stopOnSignals(reporter: ScreenReporter): AbortSignal {
  const controller = new AbortController();
  for (const name of Object.keys(STOP_SIGNALS) as (keyof typeof STOP_SIGNALS)[]) {
    process.on(name, () => {
      if (stopSignal !== undefined) process.exit(130);
      stopSignal = name;
      reporter.warn('stopping: what is finished is kept (once more to stop at once)');
      // What gives up in the middle throws this: no bug, and the exit code of a stop.
      controller.abort(new Interrupted('stopped'));
    });
  }
  leaveSignals();
  return controller.signal;
}
