import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parsePublished, type PublishedRow } from '@lsgmer/train';

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), '../../../recipes/published');

/** What papers print of a task, from the tables that come with lsgmer; none for most tasks. */
export function publishedRows(dataset: string, task: string): readonly PublishedRow[] {
  if (!existsSync(FOLDER)) return [];
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(FOLDER, name))
    .map((file) => parsePublished(readFileSync(file, 'utf8'), file))
    .filter((table) => table.dataset === dataset && table.task === task)
    .flatMap((table) => table.rows);
}
