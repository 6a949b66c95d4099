import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { UserError } from '../base/errors.ts';
import { checkName, FINGERPRINT_PATTERN } from './layout.ts';

/** Contents of `<store>/<dataset>/pins/<run id>.json`: a run was trained on these features, so gc keeps them. */
export const Pin = z.strictObject({
  format: z.literal(1),
  run: z.string(),
  /** Fingerprint by feature. */
  fingerprints: z.record(z.string(), z.string().regex(FINGERPRINT_PATTERN)),
});
export type Pin = z.infer<typeof Pin>;

function pinFolder(store: string, dataset: string): string {
  return join(store, checkName('dataset', dataset), 'pins');
}

/**
 * Leaves a run's pin in every store that has the dataset and may be written. A pin is a favour to whoever cleans
 * up; a store that is read-only, full or gone never makes a run fail.
 * @returns the stores that have the pin now.
 */
export function pinRun(
  stores: readonly string[],
  dataset: string,
  pin: { readonly run: string; readonly fingerprints: { readonly [feature: string]: string } },
): string[] {
  const text = `${JSON.stringify({ format: 1, ...pin } satisfies Pin, null, 2)}\n`;
  return stores.filter((store) => {
    const path = join(pinFolder(store, dataset), `${checkName('part', pin.run)}.json`);
    try {
      if (!existsSync(join(store, dataset))) return false;
      if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileAtomic(path, text);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      return false;
    }
  });
}

/**
 * All pins of a dataset.
 * @throws UserError for a pin that can't be understood: nobody knows what it keeps, so nothing may be cleaned up.
 */
export function readPins(stores: readonly string[], dataset: string): Pin[] {
  return stores.flatMap((store) => {
    const folder = pinFolder(store, dataset);
    const names = existsSync(folder) ? readdirSync(folder) : [];
    return names
      .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
      .map((name) => {
        const path = join(folder, name);
        const parsed = Pin.safeParse(jsonOrNull(readFileSync(path, 'utf8')));
        if (parsed.success) return parsed.data;
        throw new UserError(
          `${path} is damaged: expected a run id and its features' fingerprints; remove it if that run no longer matters`,
        );
      });
  });
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
