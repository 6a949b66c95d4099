import { closeSync, fstatSync, openSync } from 'node:fs';
import { readRow } from './copy-rows.ts';
import { DamageError } from './damage-error.ts';
import type { FeatureRow, FeatureSpec } from './feature-spec.ts';
import { readJournal } from './shard-journal.ts';
import { salvageMetadata } from './shard-salvage.ts';

/**
 * The rows of an unfinished shard, in their order. A row is believed when it fits its xxh64 and its journal has its
 * input; what was cut off, or did not reach the disk, is left out.
 * @param shard its temporary name
 */
export function* abandonedRows(shard: string, spec: FeatureSpec): Generator<FeatureRow> {
  const journal = readJournal(shard);
  if (journal === null) return;
  const { head, batches, path } = journal;
  const inputs = new Map(batches.flatMap((batch) => Object.entries(batch.inputs)));
  const entry = {
    ...head,
    sha256: '',
    outside: '',
    bytes: 0,
    rows: inputs.size,
    values: batches.map(({ values }) => values),
  };
  const fd = openSync(path, 'r');
  try {
    const metadata = salvageMetadata(fd, fstatSync(fd).size, entry, spec, path);
    for (const [at, id] of metadata.ids.entries()) {
      const input = inputs.get(id);
      if (input === undefined) continue;
      const row = wholeRow(() => readRow(fd, path, entry, spec, metadata, at));
      if (row !== null) yield { ...row, input };
    }
  } finally {
    closeSync(fd);
  }
}

function wholeRow<Row>(read: () => Row): Row | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof DamageError) return null;
    throw error;
  }
}
