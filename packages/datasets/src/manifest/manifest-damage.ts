import { existsSync, readFileSync } from 'node:fs';
import { sha256Hex } from '../base/canonical-json.ts';

/** What to do about a damaged manifest. */
export const MEND = 'build it again, or pull it with --manifest replace';

/** True for a file that is there and whole. */
export function hasContent(file: string, sha256: string): boolean {
  return existsSync(file) && sha256Hex(readFileSync(file)) === sha256;
}

/** A dataset's folder that was copied or renamed by hand. */
export const foreignManifest = (path: string, dataset: string): string =>
  `${path} is that of ${dataset}: rename its folder back, remove it where it is a copy, or ${MEND}`;
