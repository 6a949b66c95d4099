import { existsSync, readFileSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The cache that Hugging Face's tools share (huggingface_hub): `models--owner--name/` with
 * `refs/<revision>` (the commit), `snapshots/<commit>/<file>` (links) and `blobs/<etag>` (the content).
 */
export const COMMIT = /^[0-9a-f]{40}$/;

/** @param cache HF_HUB_CACHE, or HF_HOME/hub. @param name owner/name */
export function repositoryFolder(cache: string, name: string): string {
  return join(cache, `models--${name.replaceAll('/', '--')}`);
}

/** The commit that a revision was when it was last looked up, if ever. */
export function cachedCommit(cache: string, name: string, revision: string): string | undefined {
  if (COMMIT.test(revision)) return revision;
  try {
    const commit = readFileSync(join(repositoryFolder(cache, name), 'refs', revision), 'utf8').trim();
    return COMMIT.test(commit) ? commit : undefined;
  } catch {
    return undefined;
  }
}

export function snapshotFolder(cache: string, name: string, commit: string): string {
  return join(repositoryFolder(cache, name), 'snapshots', commit);
}

/** Names of the files of a snapshot whose content is there. */
export function cachedFiles(cache: string, name: string, commit: string): Set<string> {
  const folder = snapshotFolder(cache, name, commit);
  if (!existsSync(folder)) return new Set();
  return new Set(
    readdirSync(folder).filter((file) => {
      try {
        realpathSync(join(folder, file));
        return true;
      } catch {
        // a link to a blob that is gone
        return false;
      }
    }),
  );
}
