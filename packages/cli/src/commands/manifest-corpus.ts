import { resolve } from 'node:path';
import {
  loadTableOptions,
  parseTextTags,
  readManifestInfo,
  TableOptions,
  type TextTags,
  UserError,
} from '@lsgmer/datasets';
import type { Argv } from 'yargs';
import type { CommonOptions, Context } from '../context.ts';
import { datasetsIn } from '../dataset.ts';

/** What it takes to read a corpus: shared by build and validate. */
export interface CorpusOptions extends CommonOptions {
  dataset?: string | undefined;
  root?: string | undefined;
  card?: string | undefined;
  textFrom?: string | undefined;
  textTags?: string | undefined;
  columns?: string | undefined;
  media: 'none' | 'headers' | 'hash';
  subset: boolean;
  all: boolean;
  report?: string | undefined;
  json: boolean;
}

export const corpusOptions = (y: Argv): Argv<CorpusOptions> =>
  y
    .option('dataset', {
      type: 'string',
      describe: 'name of the dataset; one without a card is read as a table',
    })
    .option('root', { type: 'string', describe: 'folder of the corpus (remembered)' })
    .option('card', {
      type: 'string',
      describe: 'dataset card (remembered); auto: as if none had been given',
    })
    .option('columns', {
      type: 'string',
      describe:
        'table corpora: column=name pairs (file=..,text=..,label=..,speaker=..,split=..,start=..,end=..,tags.NAME=..; table=FILE where the folder holds several) or a JSON file of them',
    })
    .option('text-from', {
      type: 'string',
      describe:
        'CSV, TSV or JSONL file (id, text) whose texts replace the transcripts, for instance ASR output',
    })
    .option('text-tags', {
      type: 'string',
      describe: 'tags such as [LAUGHTER]: keep (default), drop, or map:LAUGHTER=haha,BREATHING=',
    })
    .option('media', {
      choices: ['none', 'headers', 'hash'] as const,
      default: 'hash' as const,
      describe: 'what is read of the recordings',
    })
    .option('subset', {
      type: 'boolean',
      default: false,
      describe:
        'the corpus is a part on purpose: no counts, no gaps (a missing recording of a row stays an error)',
    })
    .option('all', { type: 'boolean', default: false, describe: 'show every problem' })
    .option('report', {
      type: 'string',
      describe: 'file for every problem, a JSON line each (default: <store>/<dataset>/validation.jsonl)',
    })
    .option('json', { type: 'boolean', default: false, describe: 'result as JSON on stdout' });

/** Where texts come from, and what becomes of tags in them. */
export function textOptions(
  context: Context,
  { textFrom, textTags }: Pick<CorpusOptions, 'textFrom' | 'textTags'>,
): { textFrom?: string; textTags?: TextTags } {
  return {
    ...(textFrom === undefined ? {} : { textFrom: resolve(context.folder, textFrom) }),
    ...(textTags === undefined ? {} : { textTags: parseTextTags(textTags) }),
  };
}

/** How --columns names a tag: `tags.style=COLUMN`. */
const TAG = 'tags.';

/** The given columns, else those of the manifest that the store has (a table is described once). */
export function tableOptions(
  context: Context,
  dataset: string,
  columns: string | undefined,
): TableOptions | undefined {
  if (columns === undefined) {
    if (!datasetsIn(context.stores).includes(dataset)) return undefined;
    const earlier = readManifestInfo(context.stores, dataset).options['table'];
    return earlier === undefined ? undefined : TableOptions.parse(earlier);
  }
  if (columns.endsWith('.json')) return loadTableOptions(columns);
  const pairs = columns.split(',').map((pair) => {
    const [key, value] = pair.split('=', 2);
    if (key === undefined || value === undefined || value === '')
      throw new UserError(`--columns: '${pair}' is no key=name pair, for instance file=file_id`);
    // a role that the corpus does not have
    return [key.trim(), value.trim() === 'null' ? null : value.trim()] as const;
  });
  const tags = pairs
    .filter(([key]) => key.startsWith(TAG))
    .map(([key, value]) => [key.slice(TAG.length), value]);
  const parsed = TableOptions.safeParse({
    ...Object.fromEntries(pairs.filter(([key]) => !key.startsWith(TAG))),
    ...(tags.length > 0 && { tags: Object.fromEntries(tags) }),
  });
  if (parsed.success) return parsed.data;
  const keys = Object.keys(TableOptions.shape)
    .join(', ')
    .replace(/\btags\b/, `${TAG}NAME`);
  throw new UserError(`--columns: ${parsed.error.issues[0]?.message ?? 'not understood'}; keys are ${keys}`);
}
