import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { Interrupted } from '../base/errors.ts';
import type { Reporter } from '../base/reporter.ts';
import { compareIds } from '../manifest/utterance.ts';
import type { FeatureDtype, FeatureSpec } from '../store/feature-spec.ts';
import { firstBeyondHalf, firstNonFinite } from '../store/half.ts';
import { bytesOf } from '../store/row-hash.ts';
import {
  type ArrayLayout,
  type ForeignArray,
  ForeignArrayError,
  type ForeignSource,
  type Steps,
  stepsOf,
} from './foreign-array.ts';
import type { IdMatcher } from './match-ids.ts';

export interface ScanOptions {
  readonly source: ForeignSource;
  readonly matcher: IdMatcher;
  readonly kind: FeatureSpec['kind'];
  readonly layout: ArrayLayout;
  readonly dtype: FeatureDtype;
  /** What to do with values beyond float16's range. */
  readonly onOverflow: 'error' | 'float32';
  /** Expected number of arrays, for the progress where the source does not know. */
  readonly expected: number;
  readonly reporter: Reporter;
  readonly signal?: AbortSignal | undefined;
}

/** One array that can be imported. */
export interface ScannedRow {
  readonly place: string;
  readonly n: number;
  readonly dim: number;
  readonly digest: string;
}

/** Why an array cannot be. */
export interface RefusedArray {
  readonly place: string;
  readonly problem: string;
  /** Where it is known which utterance it belongs to. */
  readonly id: string | null;
  /** The name means no utterance: the rest of the import does not depend on it. */
  readonly unknown: boolean;
}

export interface Scan {
  readonly rows: ReadonlyMap<string, ScannedRow>;
  readonly refused: readonly RefusedArray[];
}

/** Looks at every array once: whose it is, whether its values can be stored, and its digest. Keeps none of them. */
export async function scanArrays(options: ScanOptions): Promise<Scan> {
  const { source, matcher, reporter, signal, expected } = options;
  const rows = new Map<string, ScannedRow>();
  const refused: RefusedArray[] = [];
  let done = 0;
  const total = source.count ?? expected;
  for await (const array of source.arrays()) {
    // signals are heard between arrays
    await setImmediate();
    if (signal?.aborted === true) throw new Interrupted('stopped before anything was written');
    done++;
    reporter.progress({ task: 'check', done: Math.min(done, total), total, unit: 'arrays' });
    if ('problem' in array) {
      refused.push({ ...array, id: null, unknown: false });
      continue;
    }
    const { place } = array;
    const match = matcher.match(array.names);
    if ('problem' in match) {
      refused.push({ place, problem: match.problem, id: null, unknown: true });
      continue;
    }
    const { id } = match;
    const rival = rows.get(id);
    if (rival !== undefined) {
      const problem = `it is ${id}, and so is ${rival.place}: choose one (of several arrays of a file with --column)`;
      refused.push({ place, problem, id: null, unknown: false });
      continue;
    }
    try {
      const row = rowOf(array, options);
      checkValues(row, options);
      rows.set(id, { place, n: row.n, dim: row.dim, digest: rowDigest(row) });
    } catch (error) {
      if (!(error instanceof ForeignArrayError)) throw error;
      refused.push({ place, problem: error.message, id, unknown: false });
    }
  }
  if (done < total) reporter.progress({ task: 'check', done, total: done, unit: 'arrays' });
  return { rows, refused };
}

/** Steps with tokens for a text feature; -1 and no span where the file has none. */
export interface ForeignRow extends Steps {
  readonly tokenIds?: Int32Array;
  readonly tokenSpans?: Int32Array;
}

/** @throws ForeignArrayError for a shape that makes no steps, or tokens that do not fit them. */
export function rowOf(
  array: ForeignArray,
  { layout, kind }: Pick<ScanOptions, 'layout' | 'kind'>,
): ForeignRow {
  const steps = stepsOf(array, layout);
  if (kind === 'audio') return steps;
  const tokenIds = array.tokenIds ?? new Int32Array(steps.n).fill(-1);
  const tokenSpans = array.tokenSpans ?? new Int32Array(2 * steps.n);
  if (tokenIds.length !== steps.n || tokenSpans.length !== 2 * steps.n) {
    throw new ForeignArrayError(
      `it has ${steps.n} steps, ${tokenIds.length} token ids and ${tokenSpans.length} span ends, expected ${steps.n} and ${2 * steps.n}`,
    );
  }
  return { ...steps, tokenIds, tokenSpans };
}

function checkValues({ values, dim }: Steps, { dtype, onOverflow }: ScanOptions): void {
  const at = (i: number): string =>
    `at step ${Math.floor(i / dim)}, dimension ${i % dim}, it is ${values[i]}`;
  const bad = firstNonFinite(values);
  if (bad >= 0) throw new ForeignArrayError(`${at(bad)}, expected a finite number`);
  if (dtype === 'float32' || onOverflow === 'float32') return;
  const large = firstBeyondHalf(values);
  if (large >= 0) {
    throw new ForeignArrayError(
      `${at(large)}, beyond float16's range of +-65504: --overflow float32 keeps such rows as float32, --store-dtype float32 all`,
    );
  }
}

/** sha256 of what an utterance is given: steps, values as float32, tokens. */
export function rowDigest({ n, dim, values, tokenIds, tokenSpans }: ForeignRow): string {
  const hash = createHash('sha256').update(`${n} ${dim}\n`).update(bytesOf(values));
  if (tokenIds && tokenSpans) hash.update(bytesOf(tokenIds)).update(bytesOf(tokenSpans));
  return hash.digest('hex');
}

/** sha256 over ids and digests in order: equal features give it, whatever file they come from. */
export function contentDigest(rows: Scan['rows']): string {
  const hash = createHash('sha256');
  for (const id of [...rows.keys()].sort(compareIds)) hash.update(`${id} ${rows.get(id)?.digest}\n`);
  return hash.digest('hex');
}
