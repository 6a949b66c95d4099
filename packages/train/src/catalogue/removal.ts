import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { moveToTrash } from '@lsgmer/datasets';
import type { RunEntry } from './run-entry.ts';

/** An unfinished run that wrote something within this time may be running: it is let be. */
export const LIVE_MINUTES = 30;

/** Runs to take out of use, and those that seem to be running. */
export interface RemovalPlan {
  readonly remove: readonly RunEntry[];
  readonly live: readonly RunEntry[];
}

/** @param now milliseconds since 1970 */
export function planRemoval(runs: readonly RunEntry[], now: number): RemovalPlan {
  const isLive = (run: RunEntry): boolean =>
    run.status === 'unfinished' && now - lastWrite(run.path) < LIVE_MINUTES * 60_000;
  return { remove: runs.filter((run) => !isLive(run)), live: runs.filter(isLive) };
}

function lastWrite(path: string): number {
  const files = existsSync(path) ? readdirSync(path) : [];
  const times = [path, ...files.map((file) => join(path, file))].map(
    (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0,
  );
  return Math.max(...times);
}

/**
 * Moves run folders to `<runs>/<dataset>/trash/<day>/<task>/`.
 * @returns where each lies now
 */
export function removeRuns(root: string, runs: readonly RunEntry[], now: Date): string[] {
  return runs.flatMap((run) => moveToTrash(root, run.identity.dataset, run.path, now) ?? []);
}
