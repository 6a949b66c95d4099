import { type Json, diffManifests, type ManifestDiff, readNamedManifest, UserError } from '@lsgmer/datasets';
import type { CommandModule } from 'yargs';
import { type CommonOptions, createContext } from '../context.ts';
import { headedTable } from '../ui/table.ts';

interface DiffOptions extends CommonOptions {
  before: string;
  after: string;
  all: boolean;
  json: boolean;
}

/** Rows listed of each kind of difference. */
const SHOWN = 10;
const VALUE = 60;

export const diff: CommandModule<object, DiffOptions> = {
  command: 'diff <before> <after>',
  describe: 'what one manifest has and another has not: rows, fields, labels',
  builder: (y) =>
    y
      .positional('before', {
        type: 'string',
        demandOption: true,
        describe: 'a dataset, a manifest file, or the digest of a manifest in the store',
      })
      .positional('after', { type: 'string', demandOption: true, describe: 'the same' })
      .option('all', { type: 'boolean', default: false, describe: 'list every row' })
      .option('json', { type: 'boolean', default: false, describe: 'result as JSON on stdout' })
      .example('$0 manifest diff 3f2a91 meld', ''),
  handler: (options) => {
    const context = createContext(options);
    const before = readNamedManifest(context.stores, options.before);
    const after = readNamedManifest(context.stores, options.after);
    if (before.utterances.length === 0 && after.utterances.length === 0)
      throw new UserError(`${before.name} and ${after.name} are both empty`);
    const found = diffManifests(before.utterances, after.utterances);
    context.print(
      options.json
        ? JSON.stringify({ before: before.name, after: after.name, ...found })
        : diffText(before.name, after.name, found, options.all),
    );
  },
};

/** Counts, then label changes, then the rows themselves. */
export function diffText(before: string, after: string, found: ManifestDiff, all: boolean): string {
  const { added, removed, changed, unchanged, rows, fields, labels } = found;
  const lines = [
    `${before}: ${rows.before} rows; ${after}: ${rows.after} rows`,
    `${added.length} added, ${removed.length} removed, ${changed.length} changed, ${unchanged} unchanged`,
  ];
  if (fields.length > 0)
    lines.push(
      '',
      headedTable(
        ['field', 'rows'],
        fields.map((one) => [one.field, String(one.rows)]),
      ),
    );
  if (labels.length > 0) {
    const changes = labels.map((one) => [one.before ?? 'none', one.after ?? 'none', String(one.rows)]);
    lines.push('', headedTable(['label was', 'is', 'rows'], changes));
  }
  const list = (title: string, entries: readonly string[]): void => {
    if (entries.length === 0) return;
    const listed = all ? entries : entries.slice(0, SHOWN);
    lines.push('', `${title}:`, ...listed.map((entry) => `  ${entry}`));
    if (listed.length < entries.length)
      lines.push(`  ... and ${entries.length - listed.length} more (--all lists them, --json gives data)`);
  };
  list('added', added);
  list('removed', removed);
  list(
    'changed',
    changed.map(({ id, changes }) => {
      const parts = changes.map((one) => `${one.field} ${value(one.before)} -> ${value(one.after)}`);
      return `${id}: ${parts.join('; ')}`;
    }),
  );
  return lines.join('\n');
}

function value(json: Json): string {
  const text = json === null ? 'none' : JSON.stringify(json);
  return text.length <= VALUE ? text : `${text.slice(0, VALUE - 3)}...`;
}
