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
  readonly largestError: number;
  /** Root mean square of the float32 values, to compare the error with. */
  readonly scale: number;
}

/** Below that, a step has become another one. */
export const LOW_COSINE = 0.99;

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
    largestError,
    scale: Math.sqrt(squares / Math.max(1, steps * dim)),
  };
}

/** `cosine 0.99967 on average, 0.99960 at least, largest error 0.11 where values spread by 1.0 (8 utterances)` */
export function describeFidelity({ utterances, cosine, largestError, scale }: Fidelity): string {
  return (
    `cosine ${cosine.mean.toFixed(5)} on average, ${cosine.lowest.toFixed(5)} at least, ` +
    `largest error ${largestError.toPrecision(2)} where values spread by ${scale.toPrecision(2)} (${utterances} utterances)`
  );
}

/** As it is kept in feature.json. */
export function fidelityJson({ utterances, steps, cosine, largestError, scale }: Fidelity): Json {
  return { against: 'float32', utterances, steps, cosine: { ...cosine }, largestError, scale };
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
      if (fidelity.cosine.lowest < LOW_COSINE) reporter.warn(`${text}: too coarse for this model?`);
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
