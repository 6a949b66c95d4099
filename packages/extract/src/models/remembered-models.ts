import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '@lsgmer/datasets';

/** One file for each checkpoint that a model was made from: reading and hashing its weights again takes seconds. */
const pathOf = (models: string, identity: string): string => join(models, 'made', `${identity}.json`);

/** The folder of the model that was made from these very files, if any. */
export function rememberedFolder(models: string, identity: string): string | undefined {
  try {
    const { folder } = JSON.parse(readFileSync(pathOf(models, identity), 'utf8')) as { folder?: unknown };
    return typeof folder === 'string' ? join(models, folder) : undefined;
  } catch {
    // Not made yet, or damaged: made again.
    return undefined;
  }
}

export function rememberFolder(models: string, identity: string, folder: string): void {
  writeFileAtomic(
    pathOf(models, identity),
    `${JSON.stringify({ folder: folder.slice(models.length + 1) })}\n`,
  );
}
