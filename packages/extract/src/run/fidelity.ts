import { existsSync } from 'node:fs';
import { type Json, setFolder, silent, specPath } from '@lsgmer/datasets';
import type { FfmpegSearch } from '../decode/ffmpeg-binary.ts';
import type { EncodedSteps } from '../features/form.ts';
import type { ModelReference } from '../models/feature-options.ts';
import type { EncoderModel } from '../models/model-folder.ts';
import type { Encoder } from './encoder.ts';
import { type ExtractOptions, decodeOptions, startEncoder } from './extract-options.ts';
import type { SetPlan } from './plan.ts';
import { type SampledRow, prepareRows, spread } from './sample.ts';

/** How near features that were computed in fewer bits come to those of float32. */
export interface Fidelity {
  readonly utterances: number;
  readonly steps: number;
  /** Between the vectors of one step. */
  readonly cosine: { readonly mean: number; readonly lowest: number };
  /**
   * Of each dimension, how much of its variance between steps is kept (coefficient of determination): the median, and what a
   * tenth of the dimensions lie below. Cosines say little where all steps have a large part in common. Null below three steps.
   */
  readonly r2: { readonly median: number; readonly tenth: number } | null;
  readonly largestError: number;
  /** Root mean square of the float32 values, to compare the error with. */
  readonly scale: number;
}

/** Below that, a step has become another one. */
export const LOW_COSINE = 0.99;
/** Below that in the median, a feature tells steps apart otherwise than it should. */
const LOW_R2 = 0.9;

/**
 * Encodes a sample twice, one utterance at a time, and compares; the two encoders are not in memory together.
 * @returns for each of the model's features, in their order
 */
export async function measureFidelity(
  model: EncoderModel,
  sample: readonly SampledRow[],
  start: (reference: ModelReference) => Promise<Encoder>,
): Promise<Fidelity[]> {
  const exact = await encodeSample(model, { ...model.options, compute: 'fp32' }, sample, start);
  const found = await encodeSample(model, model.options, sample, start);
  return model.features.map(({ dim }, i) =>
    compareSteps(exact[i] as EncodedSteps[], found[i] as EncodedSteps[], dim),
  );
}

async function encodeSample(
  { folder, features }: EncoderModel,
  options: ModelReference['options'],
  sample: readonly SampledRow[],
  start: (reference: ModelReference) => Promise<Encoder>,
): Promise<EncodedSteps[][]> {
  const encoder = await start({ folder, options });
  try {
    return await encodeEach(encoder, 0, features.length, sample);
  } finally {
    await encoder.close();
  }
}

/**
 * Encodes a sample, each utterance alone.
 * @param index position of the model in the encoder
 * @param features how many the model has
 * @returns for each of them, the steps of each utterance
 */
export async function encodeEach(
  encoder: Encoder,
  index: number,
  features: number,
  sample: readonly SampledRow[],
): Promise<EncodedSteps[][]> {
  const all: EncodedSteps[][] = Array.from({ length: features }, () => []);
  const encoded = await Promise.all(
    sample.map(({ input }) => encoder.encode(index, [input], [...all.keys()])),
  );
  for (const one of encoded) one.forEach((steps, i) => all[i]?.push(steps[0] as EncodedSteps));
  return all;
}

/** @param dim values per step */
export function compareSteps(
  exact: readonly EncodedSteps[],
  found: readonly EncodedSteps[],
  dim: number,
): Fidelity {
  let [steps, cosines, lowest, largestError, squares] = [0, 0, 1, 0, 0];
  const [sums, powers, errors] = [0, 1, 2].map(() => new Float64Array(dim)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (const [u, { n, values: a }] of exact.entries()) {
    const b = (found[u] as EncodedSteps).values;
    for (let step = 0; step < n; step++) {
      let [dot, aa, bb] = [0, 0, 0];
      for (let i = step * dim; i < (step + 1) * dim; i++) {
        const [x, y] = [a[i] as number, b[i] as number];
        dot += x * y;
        aa += x * x;
        bb += y * y;
        largestError = Math.max(largestError, Math.abs(x - y));
        const d = i - step * dim;
        sums[d] = (sums[d] as number) + x;
        powers[d] = (powers[d] as number) + x * x;
        errors[d] = (errors[d] as number) + (x - y) ** 2;
      }
      // Two steps of zeros are equal.
      const cosine = aa === 0 && bb === 0 ? 1 : dot / Math.sqrt(aa * bb || 1);
      cosines += cosine;
      lowest = Math.min(lowest, cosine);
      squares += aa;
      steps++;
    }
  }
  return {
    utterances: exact.length,
    steps,
    cosine: { mean: steps === 0 ? 1 : cosines / steps, lowest },
    r2: steps < 3 ? null : determined(sums, powers, errors, steps),
    largestError,
    scale: Math.sqrt(squares / Math.max(1, steps * dim)),
  };
}

/** Over the dimensions that vary. @param errors sums of squared errors */
function determined(
  sums: Float64Array,
  powers: Float64Array,
  errors: Float64Array,
  steps: number,
): Fidelity['r2'] {
  const each: number[] = [];
  sums.forEach((sum, d) => {
    const power = powers[d] as number;
    const spread = power - sum ** 2 / steps;
    if (spread > 1e-12 * power) each.push(1 - (errors[d] as number) / spread);
  });
  if (each.length === 0) return null;
  each.sort((a, b) => a - b);
  const at = (part: number): number => each[Math.floor(part * (each.length - 1))] as number;
  return { median: at(0.5), tenth: at(0.1) };
}

/**
 * `cosine 0.99967 on average, 0.99960 at least, R2 of the dimensions 0.981 (a tenth below 0.952), largest error 0.11 where values
 * spread by 1.0 (8 utterances)`
 */
export function describeFidelity({ utterances, cosine, r2, largestError, scale }: Fidelity): string {
  const kept =
    r2 === null
      ? ''
      : `R2 of the dimensions ${r2.median.toFixed(3)} (a tenth below ${r2.tenth.toFixed(3)}), `;
  return (
    `cosine ${cosine.mean.toFixed(5)} on average, ${cosine.lowest.toFixed(5)} at least, ${kept}` +
    `largest error ${largestError.toPrecision(2)} where values spread by ${scale.toPrecision(2)} (${utterances} utterances)`
  );
}

/** As it is kept in feature.json. */
export function fidelityJson({ utterances, steps, cosine, r2, largestError, scale }: Fidelity): Json {
  return {
    against: 'float32',
    utterances,
    steps,
    cosine: { ...cosine },
    r2: r2 === null ? null : { ...r2 },
    largestError,
    scale,
  };
}

/** Whether a feature has become another one. */
function isCoarse({ cosine, r2 }: Fidelity): boolean {
  return cosine.lowest < LOW_COSINE || (r2 !== null && r2.median < LOW_R2);
}

/** Utterances on which fewer bits are compared with float32 before a feature set is begun. */
const FIDELITY_SAMPLE = 8;

/**
 * Measures what models that compute in fewer bits lose, before their first row is written: feature.json says so from the
 * beginning.
 */
export async function withFidelity(
  plans: readonly SetPlan[],
  options: ExtractOptions,
  search: () => Promise<FfmpegSearch>,
): Promise<SetPlan[]> {
  const { reporter = silent, store } = options;
  const measured = new Map<SetPlan, Fidelity>();
  for (const model of new Set(plans.map((plan) => plan.model))) {
    const own = plans.filter((plan) => plan.model === model);
    const begun = own.every(({ spec }) => existsSync(specPath(setFolder(store, spec))));
    if (model.options.compute === 'fp32' || begun) continue;
    const rows = spread((own[0] as SetPlan).rows, FIDELITY_SAMPLE);
    const sample = await prepareRows(model, rows, options.root, decodeOptions(options, search));
    const start = (reference: ModelReference): Promise<Encoder> => startEncoder([reference], options);
    const found = await measureFidelity(model, sample, start);
    for (const plan of own) {
      const fidelity = found[plan.feature] as Fidelity;
      measured.set(plan, fidelity);
      const text = `${plan.spec.feature} against float32: ${describeFidelity(fidelity)}`;
      if (isCoarse(fidelity)) reporter.warn(`${text}: too coarse for this model?`);
      else reporter.info(text);
    }
  }
  return plans.map((plan) => {
    const fidelity = measured.get(plan);
    if (fidelity === undefined) return plan;
    const provenance = { ...plan.spec.provenance, fidelity: fidelityJson(fidelity) };
    return { ...plan, spec: { ...plan.spec, provenance } };
  });
}
