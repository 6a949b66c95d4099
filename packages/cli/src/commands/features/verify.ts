import { isDamaged, setTitle, type SetCheck, unreadableShards, verifySet } from '@lsgmer/datasets';
import type { CommandModule } from 'yargs';
import { type Context, createContext } from '../../context.ts';
import { chooseDataset } from '../../dataset.ts';
import { EXIT } from '../../exit.ts';
import { headedTable } from '../../ui/table.ts';
import {
  chosenSets,
  count,
  DATASET,
  FEATURE,
  JSON_OPTION,
  manifestProblems,
  setCells,
  setHead,
  type SetOptions,
  shortened,
  sizeText,
} from './sets.ts';

export const verifyCommand: CommandModule<object, SetOptions> = {
  command: 'verify',
  describe: 'read every byte and name what is not as it was written (exit code 3)',
  builder: (y) =>
    y
      .option('dataset', DATASET)
      .option('feature', FEATURE)
      .option('json', JSON_OPTION)
      .example('$0 features verify --dataset meld', ''),
  handler: async (options) => {
    const context = createContext(options);
    const dataset = chooseDataset(context, options.dataset);
    const started = performance.now();
    const checks: SetCheck[] = [];
    for (const set of chosenSets(context, dataset, options.feature))
      checks.push(await verifySet(set, { reporter: context.reporter, signal: context.signal }));
    const manifest = manifestProblems(context, dataset, options.feature);
    const seconds = (performance.now() - started) / 1000;
    const bytes = checks.reduce((sum, check) => sum + bytesRead(check), 0);
    if (options.json)
      context.print(JSON.stringify({ dataset, bytes, seconds, manifest, sets: checks.map(checkRecord) }));
    else {
      printChecks(context, checks);
      for (const problem of manifest) context.print(`  ${problem}`);
      const speed = `read ${sizeText(bytes)} in ${seconds.toFixed(1)} s (${sizeText(bytes / seconds)}/s)`;
      const misplaced = checks.filter((check) => check.misplaced !== null).length;
      context.print(
        checks.some(isDamaged)
          ? `${speed}; mend it with: lsgmer features repair --dataset ${dataset}`
          : misplaced > 0
            ? `${speed}, as it was written; ${count(misplaced, 'set')} in the wrong folder, not read`
            : manifest.length > 0
              ? `${speed}; the features are as they were written, and the manifest is not`
              : `${speed}; every byte is as it was written`,
      );
    }
    const troubled = checks.some((check) => isDamaged(check) || isStopped(check) || check.misplaced !== null);
    if (troubled || manifest.length > 0) process.exitCode = EXIT.data;
  },
};

function bytesRead({ shards, unlisted }: SetCheck): number {
  return [...shards, ...unlisted].reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Lines of one kind that are shown of a set. */
const SHOWN = 10;

/** A table of all sets, then what is wrong with each. */
export function printChecks(context: Context, checks: readonly SetCheck[]): void {
  const rows = checks.map((check) => [
    ...setCells(context, check.location),
    String(check.shards.length),
    String(check.shards.reduce((sum, { whole }) => sum + whole.size, 0)),
    String(check.shards.reduce((sum, { badRows }) => sum + badRows.length, 0)),
    sizeText(bytesRead(check)),
    stateOf(check),
  ]);
  context.print(
    headedTable([...setHead(context), 'shards', 'whole rows', 'bad rows', 'read', 'state'], rows),
  );
  for (const check of checks) for (const line of troubles(check)) context.print(`  ${line}`);
}

function stateOf(check: SetCheck): string {
  if (check.misplaced !== null) return 'MISPLACED';
  if (isDamaged(check)) return 'DAMAGED';
  return isStopped(check) ? 'STOPPED' : 'whole';
}

/** Whoever brought shards was stopped before the index, and is expected to go on. */
const isStopped = ({ awaited, unlisted }: SetCheck): boolean =>
  awaited?.live === false && unlisted.some(({ rows }) => rows > 0);

function troubles(check: SetCheck): string[] {
  const title = setTitle(check.location);
  const lines: string[] = check.misplaced === null ? [] : [check.misplaced];
  if (check.specProblem !== null) lines.push(`${title}: feature.json: ${check.specProblem}`);
  for (const { path, problem } of check.parts) if (problem !== null) lines.push(`${path}: ${problem}`);
  for (const { path, problem, badRows } of check.shards) {
    if (problem === null && badRows.length === 0) continue;
    lines.push(`${path}: ${problem ?? 'not what the index says'} (${count(badRows.length, 'bad row')})`);
    const rows = badRows.map(({ id, row, what }) => `  ${row === null ? '' : `row ${row}, `}${id}: ${what}`);
    lines.push(...shortened(rows, SHOWN));
  }
  const { unlisted, leftovers } = check;
  const shardsOf = (list: SetCheck['unlisted']): string =>
    `${count(list.length, 'whole shard')} that no index part lists (${sizeText(list.reduce((sum, { bytes }) => sum + bytes, 0))}`;
  const superfluous = unlisted.filter((one) => one.whole && one.rows === 0);
  if (superfluous.length > 0) lines.push(`${title}: ${shardsOf(superfluous)}; gc sweeps them)`);
  const needed = unlisted.filter((one) => one.rows > 0);
  if (needed.length > 0) {
    const rows = count(
      needed.reduce((sum, one) => sum + one.rows, 0),
      'row',
    );
    const why = check.awaited?.why ?? 'an index part is gone: repair makes it anew from them';
    lines.push(`${title}: ${shardsOf(needed)}, ${rows} that no other has): ${why}`);
  }
  const unreadable = unreadableShards(check);
  for (const one of unlisted.filter(({ whole }) => !whole))
    lines.push(
      `${one.path}: no index part lists it, and it is not what its name says (` +
        `${unreadable.includes(one) ? 'nothing says any more which rows it held; ' : ''}repair takes it away)`,
    );
  for (const { path, dead } of leftovers)
    lines.push(`${path}: left by a writer ${dead ? 'that is gone' : 'on another host (gone?)'}`);
  return lines;
}

/** A check as data: rows that are whole are only counted. */
export function checkRecord(check: SetCheck): object {
  const { location, misplaced, specProblem, parts, shards, unlisted, leftovers } = check;
  return {
    dataset: location.dataset,
    feature: location.feature,
    fingerprint: location.fingerprint,
    store: location.store,
    damaged: isDamaged(check),
    misplaced,
    bytes: bytesRead(check),
    feature_json: specProblem,
    parts: parts.map(({ name, problem, heldBy }) => ({ name, problem, heldBy })),
    shards: shards.map(({ path, bytes, problem, whole, badRows }) => ({
      path,
      bytes,
      problem,
      wholeRows: whole.size,
      badRows,
    })),
    unlisted,
    awaited: check.awaited,
    leftovers,
  };
}
