import type { SharedSet, ShareReport } from '@lsgmer/datasets';
import { UserError } from '@lsgmer/datasets';
import type { Context } from '../../context.ts';
import { headedTable } from '../../ui/table.ts';
import { count, DATASET, DRY_RUN, FEATURE, JSON_OPTION, type SetOptions, sizeText } from './sets.ts';

/** Options that push and pull have in common. */
export interface ShareOptions extends SetOptions {
  remote?: string | undefined;
  fingerprint?: string | undefined;
  split?: string | undefined;
  manifest?: 'keep' | 'replace' | undefined;
  'at-once': number;
  timeout: number;
  'dry-run': boolean;
}

export const REMOTE = {
  type: 'string',
  describe:
    'a folder, s3://bucket/prefix, webdav(s)://host/path, hf://datasets/owner/name[@revision]; pull also from https://host/path',
} as const;

export const SHARE_OPTIONS = {
  dataset: DATASET,
  feature: FEATURE,
  fingerprint: { type: 'string', describe: 'only sets whose fingerprint begins so' },
  split: { type: 'string', describe: 'only these splits: train,dev' },
  manifest: {
    choices: ['keep', 'replace'] as const,
    describe: 'when the other side has another manifest: leave theirs, or put this one in its place',
  },
  'at-once': { type: 'number', default: 4, describe: 'files that go over at the same time' },
  timeout: {
    type: 'number',
    default: 60,
    describe: 'seconds of silence after which a connection is given up',
  },
  'dry-run': DRY_RUN,
  json: JSON_OPTION,
} as const;

/** The remote, given as the argument or with --remote. @throws UserError */
export function remoteOf({ remote }: ShareOptions): string {
  if (remote !== undefined && remote !== '') return remote;
  throw new UserError(`which remote? Give ${REMOTE.describe} (make: REMOTE=...)`);
}

/** @throws UserError for an empty list. */
export function splitsOf({ split }: ShareOptions): string[] | undefined {
  if (split === undefined) return undefined;
  const names = split.split(',').map((name) => name.trim());
  if (names.some((name) => name === ''))
    throw new UserError(`--split ${split}: expected names separated by commas`);
  return [...new Set(names)];
}

/** @throws UserError for numbers that make no sense. */
export function checkNumbers({ 'at-once': atOnce, timeout }: ShareOptions): void {
  if (!(Number.isInteger(atOnce) && atOnce >= 1 && atOnce <= 64))
    throw new UserError('--at-once: expected a whole number from 1 to 64');
  if (!(timeout >= 1 && timeout <= 3600)) throw new UserError('--timeout: expected seconds from 1 to 3600');
}

const MANIFEST: { readonly [state in ShareReport['manifest']]: string } = {
  new: 'the manifest goes along',
  there: 'the manifest is there',
  kept: 'another manifest is there, and stays',
  replaced: 'the manifest is replaced',
  none: 'there is no manifest',
};

/** The result for people, or as data. */
export function printShare(
  context: Context,
  report: ShareReport,
  words: { readonly did: string; readonly would: string; readonly seconds: number },
  json: boolean,
): void {
  if (json) {
    context.print(JSON.stringify({ ...report, seconds: words.seconds }));
    return;
  }
  const { dataset, sets, bytes, dryRun, manifest, remote } = report;
  const cells = (set: SharedSet): string[] => [
    set.feature,
    set.fingerprint.slice(0, 12),
    String(set.rows),
    String(set.there),
    String(set.shards),
    sizeText(set.bytes),
    sizeText(set.thereBytes),
  ];
  const head = [
    'feature',
    'fingerprint',
    dryRun ? 'rows to go' : 'rows',
    'there before',
    'shards',
    'size',
    'spared',
  ];
  if (sets.length > 0) context.print(headedTable(head, sets.map(cells)));
  for (const { feature, otherInput } of sets)
    if (otherInput.length > 0)
      context.print(
        `  ${feature}: ${count(otherInput.length, 'row')} stay as they are there, computed from another text or recording (first: ${otherInput[0]})`,
      );
  const speed =
    dryRun || bytes === 0 ? '' : ` in ${words.seconds.toFixed(1)} s (${sizeText(bytes / words.seconds)}/s)`;
  context.print(
    `${dataset}: ${dryRun ? words.would : words.did} ${sizeText(bytes)}${speed}, ${remote}: ${MANIFEST[manifest]}`,
  );
}
