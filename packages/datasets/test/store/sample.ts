import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { sampleSpec } from './sample-rows.ts';

export { sampleRow, sampleRows, sampleSpec } from './sample-rows.ts';

/** A folder that is removed when the test ends. */
export function temporaryStore(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lsgmer-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Folder of the sample set in a store. */
export function sampleFolder(store: string, spec = sampleSpec()): string {
  return join(store, spec.dataset, spec.feature, spec.fingerprint);
}
