import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { UserError } from '../../src/base/errors.ts';
import { openFeatureSet } from '../../src/store/feature-set-reader.ts';
import { openFeatureSetWriter } from '../../src/store/feature-set-writer.ts';
import type { FeatureRow, FeatureSpec } from '../../src/store/feature-spec.ts';
import { readFeatureSetIndex } from '../../src/store/index-union.ts';
import { planExtraction } from '../../src/store/plan.ts';
import { locateSets, type SetLocation } from '../../src/store/set-location.ts';
import { asStored } from './sample.ts';
import { bytesOf } from '../../src/store/row-hash.ts';

/** Flips one bit of a file in place. */
export function flipBit(path: string, bit: number): void {
  const fd = openSync(path, 'r+');
  const byte = new Uint8Array(1);
  readSync(fd, byte, 0, 1, bit >> 3);
  byte[0] = (byte[0] as number) ^ (1 << (bit & 7));
  writeSync(fd, byte, 0, 1, bit >> 3);
  closeSync(fd);
}

export const bitsOf = (path: string): number => 8 * readFileSync(path).length;

export function locate(store: string, spec: FeatureSpec): SetLocation {
  const [found] = locateSets([store], spec.dataset, spec.feature);
  if (!found) throw new Error('the set is not there');
  return found;
}

/** Reads every row as training does. @returns the message of the refusal; null when all rows are there and right. */
export function refusalOfReading(
  store: string,
  spec: FeatureSpec,
  rows: readonly FeatureRow[],
): string | null {
  try {
    const set = openFeatureSet({ stores: [store], dataset: spec.dataset, feature: spec.feature });
    try {
      for (const row of rows) {
        const got = set.read(row.id);
        const right = asStored(row, set.dtype);
        for (const key of ['values', 'tokenIds', 'tokenSpans'] as const) {
          const [a, b] = [got[key] ?? none, right[key] ?? none];
          if (got.n !== right.n || Buffer.compare(bytesOf(a), bytesOf(b)) !== 0)
            throw new Error(`${row.id}: wrong ${key} was handed out`);
        }
      }
      return null;
    } finally {
      set.close();
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message;
  }
}
const none = new Uint8Array(0);

/** Computes what the set lacks, as extraction does. @returns the ids written. */
export function extractAgain(store: string, spec: FeatureSpec, rows: readonly FeatureRow[]): string[] {
  const writer = openFeatureSetWriter({ store, spec, part: 'main', shardBytes: 4000 });
  const plan = planExtraction(rows, readFeatureSetIndex([store], spec));
  const left = new Set([...plan.todo, ...plan.stale]);
  for (const row of rows) if (left.has(row.id)) writer.append(row);
  writer.close();
  return [...left];
}
