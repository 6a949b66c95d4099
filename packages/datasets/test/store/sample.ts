import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { onTestFinished } from 'vitest';
import { type FeatureSetWriterOptions, openFeatureSetWriter } from '../../src/store/feature-set-writer.ts';
import type { FeatureDtype, FeatureRow, FeatureSpec, StoredRow } from '../../src/store/feature-spec.ts';
import { encodeHalf } from '../../src/store/half.ts';
import type { IndexPart } from '../../src/store/index-part.ts';
import { sampleSpec } from './sample-rows.ts';

export { sampleRow, sampleRows, sampleSpec } from './sample-rows.ts';

/** A folder that is removed when the test ends. */
export function temporaryStore(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lsgmer-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Folder of the sample set in a store. */
export function sampleFolder(store: string, spec = sampleSpec()): string {
  return join(store, spec.dataset, spec.feature, spec.fingerprint);
}

/** An index part of an invented set, with two shards that do not exist. */
export function indexPart(changes: Partial<IndexPart> = {}): IndexPart {
  const shard = {
    split: null,
    dtype: 'float16',
    rows: 2,
    bytes: 1000,
    outside: '0123456789abcdef',
    values: [[400, 64]],
  } as const;
  const shards = [
    { ...shard, sha256: '1'.repeat(64) },
    { ...shard, sha256: '2'.repeat(64) },
  ];
  const name = { dataset: 'd', feature: 'f', fingerprint: 'a'.repeat(64), part: 'p' };
  return { format: 1, ...name, shards, utterances: {}, quarantined: {}, ...changes };
}

/** Writes rows as one part of a set. */
export function writeRows(
  store: string,
  spec: FeatureSpec,
  rows: readonly FeatureRow[],
  options: Partial<FeatureSetWriterOptions> = {},
): void {
  const writer = openFeatureSetWriter({ store, spec, part: 'main', ...options });
  for (const row of rows) writer.append(row);
  writer.close();
}

/** The row as a float16 or float32 set gives it back. */
export function asStored(row: FeatureRow, dtype: FeatureDtype): StoredRow {
  const { id, n, features, tokenIds, tokenSpans } = row;
  const values = dtype === 'float16' ? new Uint16Array(features.length) : features;
  if (values instanceof Uint16Array) encodeHalf(features, values);
  return { id, n, values, ...(tokenIds && { tokenIds }), ...(tokenSpans && { tokenSpans }) };
}

/** Paths below a folder, relative and sorted. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
