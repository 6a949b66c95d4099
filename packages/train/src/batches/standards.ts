import { decodeHalf, UserError } from '@lsgmer/datasets';
import type { Lengths } from './shapes.ts';
import { type FeatureInput, featureInputs, type FeatureSources, type Joined } from './source.ts';

/** Mean and standard deviation of each dimension of a feature. */
export interface Standard {
  readonly mean: Float32Array;
  /** 1 where a dimension never changes. */
  readonly sd: Float32Array;
}

/** How features are standardised; part of what a head needs to be used again. */
export interface Standards {
  /** @returns what applies to an utterance; undefined: the feature is left as it is */
  of(input: FeatureInput, id: string): Standard | undefined;
  /** For a checkpoint, by name; nothing where the statistics are of each speaker's own recordings. */
  readonly named: { readonly [name: string]: Float32Array };
}

/** (x - mean) / sd, in place, over steps x dimensions. */
export function standardise(values: Float32Array, { mean, sd }: Standard): void {
  const width = mean.length;
  for (let at = 0; at < values.length; at += width) {
    for (let k = 0; k < width; k++) {
      values[at + k] = ((values[at + k] as number) - (mean[k] as number)) / (sd[k] as number);
    }
  }
}

/**
 * Statistics over steps, in float64 around the first value seen, so that a mean far from zero costs no digits.
 */
class Moments {
  private readonly origin: Float64Array;
  private readonly sum: Float64Array;
  private readonly squares: Float64Array;
  private count = 0;

  constructor(dim: number) {
    this.origin = new Float64Array(dim);
    this.sum = new Float64Array(dim);
    this.squares = new Float64Array(dim);
  }

  add(values: Float32Array): void {
    const { origin, sum, squares } = this;
    const width = origin.length;
    if (this.count === 0) for (let k = 0; k < width; k++) origin[k] = values[k] as number;
    for (let at = 0; at < values.length; at += width) {
      for (let k = 0; k < width; k++) {
        const x = (values[at + k] as number) - (origin[k] as number);
        sum[k] = (sum[k] as number) + x;
        squares[k] = (squares[k] as number) + x * x;
      }
    }
    this.count += values.length / width;
  }

  standard(): Standard {
    const width = this.origin.length;
    const mean = new Float32Array(width);
    const sd = new Float32Array(width);
    for (let k = 0; k < width; k++) {
      const shift = (this.sum[k] as number) / this.count;
      const variance = (this.squares[k] as number) / this.count - shift * shift;
      mean[k] = (this.origin[k] as number) + shift;
      const root = Math.fround(Math.sqrt(Math.max(variance, 0)));
      sd[k] = root > 0 ? root : 1;
    }
    return { mean, sd };
  }
}

/** Reads every row of some utterances and keeps statistics by group. */
async function measure(
  sources: FeatureSources,
  joined: Joined,
  items: readonly number[],
  groupOf: (item: number) => string,
): Promise<Map<string, Standard>> {
  const found = new Map<string, Moments>();
  for (const input of featureInputs) {
    const source = sources[input];
    if (source === undefined) continue;
    for (const item of items) {
      const { id } = joined.rows[item] as Joined['rows'][number];
      const size = (joined.lengths[item] as Lengths)[input] * source.dim;
      if (size === 0) continue;
      const values = new Float32Array(size);
      if (source.dtype === 'float16') {
        const bits = new Uint16Array(size);
        await source.readInto(id, bits, 0);
        decodeHalf(bits, values);
      } else await source.readInto(id, values, 0);
      const key = `${input}\n${groupOf(item)}`;
      let moments = found.get(key);
      if (moments === undefined) found.set(key, (moments = new Moments(source.dim)));
      moments.add(values);
    }
  }
  return new Map([...found].map(([key, moments]) => [key, moments.standard()]));
}

/** Statistics over the steps of a training part: all utterances are standardised by them. */
export async function trainStandards(
  sources: FeatureSources,
  joined: Joined,
  train: readonly number[],
): Promise<Standards> {
  const found = await measure(sources, joined, train, () => '');
  const named: { [name: string]: Float32Array } = {};
  for (const [key, { mean, sd }] of found) {
    const [input] = key.split('\n');
    named[`standardise.${input}.mean`] = mean;
    named[`standardise.${input}.sd`] = sd;
  }
  return { of: (input) => found.get(`${input}\n`), named };
}

/**
 * Statistics over each speaker's own recordings, test speakers included: no label is looked at, but the test part's
 * features are, which makes results transductive.
 * @throws UserError for utterances without a speaker
 */
export async function speakerStandards(sources: FeatureSources, joined: Joined): Promise<Standards> {
  const without = joined.rows.filter((row) => row.speaker === undefined);
  if (without.length > 0) {
    throw new UserError(
      `standardise=speaker needs a speaker of every utterance: ${without.length} have none (first: ${without[0]?.id})`,
    );
  }
  const speakers = new Map(joined.rows.map((row) => [row.id, row.speaker as string]));
  const items = joined.rows.map((_, i) => i);
  const found = await measure(sources, joined, items, (item) => joined.rows[item]?.speaker as string);
  return { of: (input, id) => found.get(`${input}\n${speakers.get(id)}`), named: {} };
}

/** Reads back what `named` holds. */
export function namedStandards(named: { readonly [name: string]: Float32Array }): Standards {
  return {
    of: (input) => {
      const mean = named[`standardise.${input}.mean`];
      const sd = named[`standardise.${input}.sd`];
      return mean === undefined || sd === undefined ? undefined : { mean, sd };
    },
    named,
  };
}
