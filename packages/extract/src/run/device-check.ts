import { UserError, silent } from '@lsgmer/datasets';
import type { FfmpegSearch } from '../decode/ffmpeg-binary.ts';
import type { EncodedSteps } from '../features/form.ts';
import type { EncoderModel } from '../models/model-folder.ts';
import type { Encoder } from './encoder.ts';
import { type ExtractOptions, decodeOptions, startEncoder } from './extract-options.ts';
import {
  type Fidelity,
  LOW_COSINE,
  compareSteps,
  describeFidelity,
  encodeEach,
  fidelityJson,
} from './fidelity.ts';
import type { SetPlan } from './plan.ts';
import { prepareRows, spread } from './sample.ts';

/** Utterances that are encoded on the CPU as well. */
const SAMPLE = 2;
/** Between the vectors of one step in float32: whoever is below computes something else. Right devices reach 0.999999. */
const SAME = 0.999;

/**
 * Compares what a GPU computes with what the CPU computes in float32, on two utterances of each model, before a row is written.
 * A provider may be wrong without saying so: onnxruntime's WebGPU 1.30 is, for some grouped convolutions.
 * Models that run on the CPU anyway need no such check.
 * @param encoder for the models of the plans, in the order of their first plans
 * @returns the plans, with what was found in their provenance
 * @throws UserError when a model's features are not those of the CPU
 */
export async function checkDevice(
  encoder: Encoder,
  plans: readonly SetPlan[],
  options: ExtractOptions,
  search: () => Promise<FfmpegSearch>,
): Promise<SetPlan[]> {
  const { reporter = silent, signal } = options;
  const found = new Map<SetPlan, Fidelity>();
  for (const [index, model] of [...new Set(plans.map((plan) => plan.model))].entries()) {
    const own = plans.filter((plan) => plan.model === model);
    const device = encoder.devices[index];
    if (device === 'cpu') continue;
    const rows = spread((own[0] as SetPlan).rows, SAMPLE);
    const sample = await prepareRows(model, rows, options.root, decodeOptions(options, search));
    signal?.throwIfAborted();
    if (sample.length === 0) continue;
    const reference = { folder: model.folder, options: { ...model.options, compute: 'fp32' as const } };
    const cpu = await startEncoder([reference], { ...options, device: 'cpu' });
    try {
      const exact = await encodeEach(cpu, 0, model.features.length, sample);
      const others = await encodeEach(encoder, index, model.features.length, sample);
      for (const plan of own) {
        const { dim } = model.features[plan.feature] as EncoderModel['features'][number];
        const one = compareSteps(
          exact[plan.feature] as EncodedSteps[],
          others[plan.feature] as EncodedSteps[],
          dim,
        );
        found.set(plan, one);
        const text = `${plan.spec.feature} on ${device} against the CPU: ${describeFidelity(one)}`;
        // Not a number is not near either.
        if (!(one.cosine.lowest >= (model.options.compute === 'fp32' ? SAME : LOW_COSINE)))
          throw new UserError(`${text}: these are other features; use --device cpu`);
        reporter.info(text);
      }
    } finally {
      await cpu.close();
    }
  }
  return plans.map((plan) => {
    const fidelity = found.get(plan);
    if (fidelity === undefined) return plan;
    const againstCpu = fidelityJson(fidelity);
    return { ...plan, spec: { ...plan.spec, provenance: { ...plan.spec.provenance, againstCpu } } };
  });
}
