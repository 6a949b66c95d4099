import { type RepairReport, setTitle } from '@lsgmer/datasets';
import type { Context } from '../../context.ts';
import { count, shortened } from './sets.ts';

/** What became of one damaged set. */
export interface Outcome {
  readonly report: RepairReport;
  /** Files that came whole from the remote. */
  readonly fetched: readonly string[];
  /** Rows that came from the remote in other shards. */
  readonly fetchedRows: number;
  /** Rows computed again. */
  readonly computed: number;
  /** Why something is left to do. */
  readonly notes: readonly string[];
  readonly mended: boolean;
}

/** Lines of one kind that are shown of a set. */
const SHOWN = 10;

export function printOutcome(context: Context, outcome: Outcome, dryRun: boolean): void {
  const { report, computed, fetched, fetchedRows, notes, mended } = outcome;
  const would = dryRun ? 'would be ' : '';
  context.print(
    `${setTitle(report.location)} in ${report.location.store}: ${dryRun ? 'damaged' : mended ? 'mended' : 'NOT mended'}`,
  );
  for (const path of shortened(fetched, SHOWN)) context.print(`  fetched anew: ${path}`);
  const unknown = report.parts.some(({ unknownInputs }) => unknownInputs > 0);
  const lost = unknown ? 'lost, or of unknown input' : 'lost';
  if (fetchedRows > 0) context.print(`  ${count(fetchedRows, 'row')} ${lost}, and fetched`);
  const again =
    fetchedRows === 0
      ? 'computed again'
      : report.redo.length === 0
        ? 'fetched'
        : 'fetched, or computed again';
  if (report.spec) context.print(`  feature.json ${would}written anew from the shards`);
  for (const { name, rows, unknownInputs } of report.parts)
    context.print(
      `  index part ${name} ${would}made anew from its shards: ${count(rows, 'row')}` +
        (unknownInputs === 0
          ? ''
          : `; what ${unknownInputs} of them were computed from stood in the lost index alone, so they are ${again}`),
    );
  for (const path of shortened(report.removed, SHOWN)) context.print(`  to the trash: ${path}`);
  if (report.salvaged > 0)
    context.print(`  ${count(report.salvaged, 'whole row')} of damaged shards ${would}kept`);
  if (report.redo.length > 0) {
    context.print(
      `  ${count(report.redo.length, 'row')} ${lost}${dryRun ? ', to be computed again' : `, ${computed} computed again`}`,
    );
    for (const id of shortened(report.redo, SHOWN)) context.print(`    ${id}`);
  } else if (computed > 0) context.print(`  ${count(computed, 'row')} computed again`);
  for (const note of notes) context.print(`  ${note}`);
}

export function outcomeRecord({ report, computed, fetched, fetchedRows, notes, mended }: Outcome): object {
  const { location, ...rest } = report;
  const { dataset, feature, fingerprint, store } = location;
  return { dataset, feature, fingerprint, store, mended, ...rest, computed, fetched, fetchedRows, notes };
}
