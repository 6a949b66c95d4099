/** Signals that ask a command to stop, with the exit code of a stop (exit.ts). */
export const STOP_SIGNALS = { SIGINT: 130, SIGTERM: 75, SIGUSR1: 75 } as const;

const ends = (Object.keys(STOP_SIGNALS) as (keyof typeof STOP_SIGNALS)[]).map((name) => {
  const end = (): void => {
    process.stderr.write('lsgmer: stopped: run the same command again\n');
    process.exit(STOP_SIGNALS[name]);
  };
  return [name, end] as const;
});

/** While the program loads there is nothing to save: a signal ends it at once, and not without a word. */
export function endOnSignals(): void {
  for (const [name, end] of ends) process.on(name, end);
}

/** From now on the command hears signals itself. */
export function leaveSignals(): void {
  for (const [name, end] of ends) process.off(name, end);
}
