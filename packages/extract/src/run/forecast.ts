import { searchFfmpeg } from '../decode/ffmpeg-binary.ts';
import type { EncodedSteps } from '../features/form.ts';
import { encodedSeconds } from './clip-windows.ts';
import { type Encoder, EncodeError } from './encoder.ts';
import {
  type ExtractOptions,
  decodeOptions,
  interruption,
  onlyOnce,
  startEncoder,
} from './extract-options.ts';
import { groupByKey } from './group.ts';
import type { PlannedRow, SetPlan } from './plan.ts';
import { type SampledRow, prepareRows, spread } from './sample.ts';

/** What one model's part of a run would take, found by doing a little of it. */
export interface Forecast {
  /** Utterances that were tried. */
  readonly probed: number;
  /** For encoding what the model's sets lack. */
  readonly seconds: number;
  /** Of values as they are stored, set by set. */
  readonly bytes: readonly number[];
}

/** Rows of one batch in the probe, as in a run. */
const BATCH = { rows: 32, length: 960_000 };

/**
 * Encodes a sample and extrapolates by length: seconds of sound, characters of text.
 *
 * @param plans sets of one model
 * @param model its position in the encoder
 * @param sizeOf what a row's cost grows with
 * @param now a clock, in seconds
 */
export async function forecast(
  plans: readonly SetPlan[],
  sample: readonly SampledRow[],
  encoder: Encoder,
  model: number,
  sizeOf: (row: SampledRow['row']) => number,
  now: () => number,
): Promise<Forecast> {
  const [first] = plans as [SetPlan, ...SetPlan[]];
  const { form } = first.model;
  const features = plans.map(({ feature }) => feature);
  const batches = groupByKey(
    sample,
    ({ input }) => form.batchKey(input.length),
    ({ input }) => input.length,
    BATCH,
  );
  const sizes: number[] = [];
  const times: number[] = [];
  const bytes: number[][] = plans.map(() => []);
  for (const batch of batches) {
    const inputs = batch.map(({ input }) => input);
    const before = now();
    let encoded: EncodedSteps[][];
    try {
      encoded = await encoder.encode(model, inputs, features);
    } catch (error) {
      // A run would quarantine it.
      if (error instanceof EncodeError) continue;
      throw error;
    }
    const each = (now() - before) / batch.length / encoder.lanes;
    batch.forEach(({ row }, i) => {
      sizes.push(sizeOf(row));
      times.push(each);
      plans.forEach(({ spec }, set) => {
        const steps = (encoded[set] as EncodedSteps[])[i] as EncodedSteps;
        bytes[set]?.push(steps.values.length * (spec.dtype === 'float16' ? 2 : 4));
      });
    });
  }
  const rows = longestOf(plans).map(sizeOf);
  return {
    probed: sizes.length,
    seconds: extrapolate(sizes, times, rows),
    bytes: plans.map(({ rows: lacking }, set) => extrapolate(sizes, bytes[set] ?? [], lacking.map(sizeOf))),
  };
}

/** One pass of the model serves all its sets: what the set that lacks most lacks. */
function longestOf(plans: readonly SetPlan[]): SetPlan['rows'] {
  return plans.reduce<SetPlan['rows']>((most, { rows }) => (rows.length > most.length ? rows : most), []);
}

/**
 * Sum over all sizes of the straight line through what was measured (least squares, no part of it below zero). Pure.
 * @param measured value for each of `sizes`
 */
export function extrapolate(
  sizes: readonly number[],
  measured: readonly number[],
  all: readonly number[],
): number {
  if (sizes.length === 0) return Number.NaN;
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const [x, y] = [mean(sizes), mean(measured)];
  let [across, along] = [0, 0];
  sizes.forEach((size, i) => {
    across += (size - x) * ((measured[i] as number) - y);
    along += (size - x) ** 2;
  });
  const slope = along === 0 ? 0 : Math.min(Math.max(0, across / along), x === 0 ? 0 : y / x);
  const base = y - slope * x;
  return all.reduce((sum, size) => sum + base + slope * size, 0);
}

/** What a run would take. */
export interface ForecastSet {
  readonly plan: SetPlan;
  readonly bytes: number;
}

/** Utterances that are tried: texts are cheap, and go in batches. */
const PROBE = { text: 192, audio: 24 };

/**
 * Encodes a few utterances of what the plans lack and predicts bytes and time; writes nothing.
 * @param now a clock, in seconds
 */
export async function forecastFeatures(
  options: ExtractOptions,
  plans: readonly SetPlan[],
  now: () => number,
): Promise<{ readonly seconds: number; readonly sets: readonly ForecastSet[] }> {
  const { signal, root } = options;
  const search = onlyOnce(() => searchFfmpeg());
  const busy = plans.filter(({ rows }) => rows.length > 0);
  if (busy.length === 0) return { seconds: 0, sets: [] };
  const models = [...new Set(busy.map(({ model }) => model))];
  const decode = decodeOptions(options, search);
  const encoder = await startEncoder(models, options);
  const stop = (): void => void encoder.close();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    let seconds = 0;
    const sets: ForecastSet[] = [];
    for (const [i, model] of models.entries()) {
      const own = busy.filter((plan) => plan.model === model);
      const text = model.form.kind === 'text';
      const sizeOf = ({ utterance }: PlannedRow): number =>
        text ? utterance.text.length : encodedSeconds(utterance, decode.policy);
      const rows = spread((own[0] as SetPlan).rows, PROBE[model.form.kind]);
      const sample = await prepareRows(model, rows, root, decode);
      const found = await forecast(own, sample, encoder, i, sizeOf, now);
      seconds += found.seconds;
      own.forEach((plan, set) => sets.push({ plan, bytes: found.bytes[set] as number }));
    }
    return { seconds, sets };
  } catch (error) {
    throw signal?.aborted === true ? interruption([]) : error;
  } finally {
    signal?.removeEventListener('abort', stop);
    await encoder.close();
  }
}
