import { type Dirent, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@lsgmer/datasets';
import { type RunEntry, readRunEntry } from './run-entry.ts';

/** Runs taken out of use lie in `<runs>/<dataset>/trash/<day>/`, beside the tasks. */
const TRASH = 'trash';
const RUN_ID = /^[0-9a-f]{12}$/;

/** Every run under a folder. */
export interface Catalogue {
  /** Sorted by dataset, task, variant, seed, fold, id. */
  readonly entries: readonly RunEntry[];
  /** Folders that look like runs and cannot be read, each with its reason. */
  readonly damaged: readonly { readonly path: string; readonly problem: string }[];
}

/**
 * Reads what runs/<dataset>/<task>/<run id>/ hold: configurations and states, no predictions. Trials of sweeps are left
 * out: they have no test part, and sweep-<digest>.json beside the runs holds their scores on dev.
 * A folder that is not there is an empty catalogue.
 */
export function readCatalogue(
  runs: string,
  only: { readonly dataset?: string | undefined; readonly task?: string | undefined } = {},
): Catalogue {
  const entries: RunEntry[] = [];
  const damaged: { path: string; problem: string }[] = [];
  for (const dataset of foldersIn(runs)) {
    if (only.dataset !== undefined && dataset !== only.dataset) continue;
    for (const task of foldersIn(join(runs, dataset))) {
      if (task === TRASH || (only.task !== undefined && task !== only.task)) continue;
      for (const id of foldersIn(join(runs, dataset, task))) {
        if (!RUN_ID.test(id)) continue;
        const path = join(runs, dataset, task, id);
        try {
          const entry = readRunEntry(path);
          if (entry.role !== 'trial') entries.push(entry);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          damaged.push({ path, problem: error.message });
        }
      }
    }
  }
  return { entries: entries.sort(compareEntries), damaged };
}

function compareEntries(a: RunEntry, b: RunEntry): number {
  const [x, y] = [a.identity, b.identity];
  return (
    compare(x.dataset, y.dataset) ||
    compare(x.task, y.task) ||
    compare(a.variant, b.variant) ||
    x.seed - y.seed ||
    compare(x.fold, y.fold) ||
    compare(a.id, b.id)
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function foldersIn(path: string): string[] {
  if (!existsSync(path)) return [];
  const isFolder = (entry: Dirent): boolean => entry.isDirectory() && !entry.name.startsWith('.');
  return readdirSync(path, { withFileTypes: true })
    .filter(isFolder)
    .map((entry) => entry.name)
    .sort();
}
