import { existsSync, readdirSync, readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Reporter, writeFileAtomic } from '@lsgmer/datasets';
import { notices } from '../gather/notices.ts';
import type { ReportData } from '../gather/report-data.ts';
import { scriptJson } from '../page/html.ts';
import { explorerData } from './chunks.ts';
import { explorerPage } from './explorer-page.ts';

/** The explorer's page, beside the report's. */
export const EXPLORER = 'explorer.html';
/** Its bundled script, made by the build. */
const SCRIPT = fileURLToPath(new URL('../../generated/explorer.js', import.meta.url));
const CHUNK_FILE = /^attention-\d+\.js$/;

/**
 * Writes the explorer: its page, its script, and data/*.js, which the page loads when they are needed.
 * @returns utterances that it holds, and files of attention
 */
export function writeExplorer(
  data: ReportData,
  options: {
    readonly out: string;
    readonly stores: readonly string[];
    /** File of the report's page. */
    readonly report: string;
    readonly reporter: Reporter;
  },
): { readonly utterances: number; readonly chunks: number } {
  const { out, reporter } = options;
  const { index, chunks } = explorerData(data, options.stores, notices(data), (line) => reporter.warn(line));
  const folder = join(out, 'data');
  const write = (name: string, content: unknown): void =>
    writeFileAtomic(join(folder, `${name}.js`), `lsgmerChunk(${scriptJson(name)},${scriptJson(content)});\n`);
  const total = new Set(index.utterances.map((one) => one.chunk).filter((chunk) => chunk !== null)).size;
  const written = new Set<string>();
  for (const { name, data: content } of chunks()) {
    write(name, content);
    written.add(`${name}.js`);
    reporter.progress({ task: 'explorer', done: written.size, total, unit: 'files' });
  }
  for (const stale of existsSync(folder) ? readdirSync(folder) : [])
    if (CHUNK_FILE.test(stale) && !written.has(stale)) unlinkSync(join(folder, stale));
  write('index', index);
  writeFileAtomic(join(out, 'explorer.js'), readFileSync(SCRIPT));
  writeFileAtomic(join(out, EXPLORER), explorerPage(`${data.card.title}: ${data.task.name}`, options.report));
  return { utterances: index.utterances.length, chunks: written.size };
}
