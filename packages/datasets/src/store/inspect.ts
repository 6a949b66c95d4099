import type { FeatureSet } from './feature-set-reader.ts';
import { bytesOf, xxh64 } from './row-hash.ts';
import { decodeHalf } from './half.ts';
import { breath } from '../base/breath.ts';
import { type Reporter, silent } from '../base/reporter.ts';

/** One dimension of a feature over all steps of all utterances. */
export interface DimensionSummary {
  readonly dimension: number;
  readonly mean: number;
  /** Population standard deviation. */
  readonly sd: number;
  /** Share of the utterances of two and more steps in which it never changes. */
  readonly constant: number;
  /** Largest absolute value, and where it stands. */
  readonly largest: number;
  readonly largestAt: string;
}

/** Mean Euclidean norm of a step, by utterance, over the utterances of one speaker. */
export interface SpeakerNorm {
  readonly speaker: string;
  readonly utterances: number;
  readonly mean: number;
  readonly sd: number;
}

export interface Inspection {
  readonly utterances: number;
  readonly steps: number;
  /** By dimension; values that are not finite are left out. */
  readonly dimensions: readonly DimensionSummary[];
  /** Speakers by name; `speakerOf` names them. */
  readonly speakers: readonly SpeakerNorm[];
  /** Utterances of which every step is the same, of two and more steps. */
  readonly constantRows: readonly string[];
  readonly nonFiniteRows: readonly string[];
  /** Utterances with equal values, group by group. */
  readonly duplicates: readonly (readonly string[])[];
}

/**
 * Reads every row of a set and sums up its values. Memory: a few numbers for each dimension and utterance.
 * @param speakerOf null for utterances whose speaker is not known.
 * @throws DamageError for a damaged row; the signal's reason, within a row's time, when it is aborted.
 */
export async function inspectSet(
  set: FeatureSet,
  speakerOf: (id: string) => string | null,
  { reporter = silent, signal }: { reporter?: Reporter; signal?: AbortSignal } = {},
): Promise<Inspection> {
  const ids = set.ids();
  const sums = new DimensionSums(set.dim);
  const norms = new Map<string, number[]>();
  const byValues = new Map<bigint, string[]>();
  const constantRows: string[] = [];
  const nonFiniteRows: string[] = [];
  let steps = 0;
  let decoded = new Float32Array(0);
  for (const [i, id] of ids.entries()) {
    await breath(signal);
    const { n, values } = set.read(id);
    if (decoded.length < values.length) decoded = new Float32Array(2 * values.length);
    if (values instanceof Uint16Array) decodeHalf(values, decoded);
    else decoded.set(values);
    const row = decoded.subarray(0, values.length);
    const hash = xxh64().update(bytesOf(values)).digest();
    addTo(byValues, hash, id);
    const { finite, constant, norm } = sums.add(id, row, n);
    if (!finite) nonFiniteRows.push(id);
    if (constant && n > 1) constantRows.push(id);
    const speaker = speakerOf(id);
    if (speaker !== null && finite) addTo(norms, speaker, norm);
    steps += n;
    reporter.progress({ task: set.spec.feature, done: i + 1, total: ids.length, unit: 'utterances' });
  }
  return {
    utterances: ids.length,
    steps,
    dimensions: sums.summary(),
    speakers: [...norms]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([speaker, list]) => ({ speaker, ...spread(list) })),
    constantRows,
    nonFiniteRows,
    duplicates: [...byValues.values()].filter((group) => group.length > 1),
  };
}

function addTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

function spread(values: readonly number[]): { utterances: number; mean: number; sd: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { utterances: values.length, mean, sd: Math.sqrt(square) };
}

/** Sums in float64 of deviations from each dimension's first value, so that a large mean costs no digits of the sd. */
class DimensionSums {
  readonly #dim: number;
  readonly #shift: Float64Array;
  readonly #count: Float64Array;
  readonly #sum: Float64Array;
  readonly #squares: Float64Array;
  readonly #largest: Float64Array;
  readonly #largestAt: string[];
  readonly #constant: Float64Array;
  #longRows = 0;

  constructor(dim: number) {
    this.#dim = dim;
    const fresh = (value = 0): Float64Array => new Float64Array(dim).fill(value);
    [this.#count, this.#sum, this.#squares, this.#constant] = [fresh(), fresh(), fresh(), fresh()];
    this.#shift = fresh(Number.NaN);
    this.#largest = fresh(-1);
    this.#largestAt = Array.from({ length: dim }, () => '');
  }

  /** Adds the n steps of an utterance. [n, dim] */
  add(id: string, row: Float32Array, n: number): { finite: boolean; constant: boolean; norm: number } {
    const dim = this.#dim;
    const changed = new Uint8Array(dim);
    let finite = true;
    let norms = 0;
    for (let t = 0; t < n; t++) {
      let square = 0;
      for (let d = 0; d < dim; d++) {
        const value = row[t * dim + d] as number;
        if (value !== row[d]) changed[d] = 1;
        if (!Number.isFinite(value)) {
          finite = false;
          continue;
        }
        square += value * value;
        this.#addValue(d, value, id);
      }
      norms += Math.sqrt(square);
    }
    if (n > 1) {
      this.#longRows++;
      for (let d = 0; d < dim; d++) (this.#constant[d] as number) += 1 - (changed[d] as number);
    }
    return { finite, constant: !changed.includes(1), norm: norms / n };
  }

  #addValue(d: number, value: number, id: string): void {
    if (Number.isNaN(this.#shift[d])) this.#shift[d] = value;
    const deviation = value - (this.#shift[d] as number);
    (this.#count[d] as number) += 1;
    (this.#sum[d] as number) += deviation;
    (this.#squares[d] as number) += deviation * deviation;
    if (Math.abs(value) <= (this.#largest[d] as number)) return;
    this.#largest[d] = Math.abs(value);
    this.#largestAt[d] = id;
  }

  summary(): DimensionSummary[] {
    return Array.from({ length: this.#dim }, (_, d) => {
      const count = Math.max(1, this.#count[d] as number);
      const off = (this.#sum[d] as number) / count;
      const variance = Math.max(0, (this.#squares[d] as number) / count - off * off);
      return {
        dimension: d,
        mean: (Number.isNaN(this.#shift[d]) ? 0 : (this.#shift[d] as number)) + off,
        sd: Math.sqrt(variance),
        constant: this.#longRows === 0 ? 0 : (this.#constant[d] as number) / this.#longRows,
        largest: Math.max(0, this.#largest[d] as number),
        largestAt: this.#largestAt[d] as string,
      };
    });
  }
}
