import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { Context } from './context.ts';
import type { TrainOptions } from './train-options.ts';

/** Processes for the runs, and threads for a step of each. */
export interface Jobs {
  readonly count: number;
  readonly threads: number;
}

/** Fewer utterances to train on, over all runs and epochs, are done before a helper has started. */
const WORTH_HELP = 5000;
/** More processes than this have to be asked for: each holds up to some 700 MB. */
const MOST = 8;

/**
 * Two runs at one thread each get more done than one run at two (docs/LOG.md), so the cores are filled with processes
 * first where nothing else is said; on a GPU, or on TensorFlow with its
 * own threads, one process is enough.
 * @param runs to do
 * @param utterances to train on, over all these runs and their epochs
 */
export function chooseJobs(
  { jobs, engine, device, threads }: Pick<TrainOptions, 'jobs' | 'engine' | 'device' | 'threads'>,
  runs: number,
  utterances: number,
  cores = availableParallelism(),
): Jobs {
  const room =
    utterances < WORTH_HELP
      ? 1
      : device === 'cpu' && engine !== 'tfjs'
        ? Math.min(MOST, Math.floor(cores / (threads ?? 1)))
        : 1;
  const count = Math.max(1, Math.min(jobs ?? room, runs));
  return { count, threads: threads ?? Math.max(1, Math.floor(cores / count)) };
}

/** Options that a process which helps is not given as they are. */
const OWN = new Set([
  'jobs',
  'threads',
  'worker',
  'dataset',
  'quiet',
  'json',
  'store',
  'runs',
  'options',
  'only',
]);

/** The command line of a process that helps with the runs of another one. */
export function workerArguments(
  context: Pick<Context, 'stores' | 'runs'>,
  dataset: string,
  options: TrainOptions,
  threads: number,
): string[] {
  const given = Object.entries(options).flatMap(([key, value]: [string, unknown]): string[] => {
    if (OWN.has(key) || !/^[a-z-]+$/.test(key) || value === undefined || value === null) return [];
    if (key === 'epochs' || key.startsWith('$') || key === '_') return [];
    if (typeof value === 'boolean') {
      if (key === 'analysis') return value ? [] : ['--no-analysis'];
      return value ? [`--${key}`] : [];
    }
    const texts = Array.isArray(value) ? (value as unknown[]) : [value];
    return texts.flatMap((text) => [`--${key}`, String(text)]);
  });
  const places = ['--store', context.stores.join(':'), '--runs', context.runs];
  return [
    'train',
    '--dataset',
    dataset,
    ...given,
    ...places,
    '--threads',
    String(threads),
    '--jobs',
    '1',
    '--worker',
  ];
}

/**
 * Starts processes that share the runs of this one. They are not asked for anything: what they do not finish, this
 * process does. A stop is passed on to them.
 */
export function startWorkers(
  context: Context,
  dataset: string,
  options: TrainOptions,
  { count, threads }: Jobs,
): { readonly end: () => Promise<void> } {
  let over = false;
  const children: { readonly child: ChildProcess; readonly ended: Promise<void> }[] = [];
  for (let i = 0; i < count - 1; i++) {
    const args = [process.argv[1] as string, ...workerArguments(context, dataset, options, threads)];
    // a group of its own: Ctrl-C reaches it through this process, once, and not twice
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'pipe'], detached: true });
    const name = `[${i + 2}] `;
    let rest = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() as string;
      for (const line of lines) if (line !== '' && !over) context.reporter.info(name + line);
    });
    const ended = new Promise<void>((resolve) => {
      child.once('error', (error) => {
        context.reporter.warn(`${name}could not start (${error.message}): its runs are done here`);
        resolve();
      });
      child.once('close', (code) => {
        if (code !== 0 && !over && !context.signal.aborted)
          context.reporter.warn(`${name}ended with ${code ?? 'a signal'}: its runs are done here`);
        resolve();
      });
    });
    children.push({ child, ended });
  }
  const stop = (): void => {
    for (const { child } of children) child.kill('SIGTERM');
  };
  context.signal.addEventListener('abort', stop, { once: true });
  return {
    end: async () => {
      over = true;
      context.signal.removeEventListener('abort', stop);
      // their standard input ends: they stop after what is in hand, as on a signal
      for (const { child } of children) child.stdin?.end();
      await Promise.all(children.map(({ ended }) => ended));
    },
  };
}

/** In a process that helps: stops when the one that it helps is gone, however that ended. */
export function stopWithParent(signal: AbortSignal): AbortSignal {
  const gone = new AbortController();
  process.stdin.on('end', () => gone.abort()).on('error', () => gone.abort());
  process.stdin.resume();
  process.stdin.unref?.();
  return AbortSignal.any([signal, gone.signal]);
}
