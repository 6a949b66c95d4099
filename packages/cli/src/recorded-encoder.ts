import { type FeatureSpec, UserError } from '@lsgmer/datasets';
import {
  type EncoderModel,
  prepareModels,
  presetModels,
  recordedModel,
  tinyModelsFolder,
} from '@lsgmer/extract';
import type { Context } from './context.ts';
import { modelPlaces } from './model-choice.ts';

/**
 * The encoder that a feature was made with, by its own record; else where a preset has one of that name.
 * @param texts of the whole dataset: toy encoders make their tokenizer from them
 * @returns null where it is not known, or cannot be had (a warning says why)
 */
export async function recordedEncoder(
  context: Context,
  { store, dataset, feature }: { readonly store: string; readonly dataset: string; readonly feature: string },
  texts: readonly string[],
  spec: FeatureSpec | undefined,
): Promise<EncoderModel | null> {
  const recorded = spec === undefined ? null : recordedModel(spec);
  const presets = [...presetModels('tiny'), ...presetModels('paper')];
  const model =
    recorded?.model ?? presets.find((one) => (typeof one === 'string' ? one : one.name) === feature);
  if (model === undefined) return null;
  const name = typeof model === 'string' ? model : model.name;
  try {
    const [found] = await prepareModels([model], {
      places: modelPlaces(process.env, false),
      tinyModels: tinyModelsFolder(store, dataset),
      texts: [...texts],
      ...(recorded === null ? {} : { options: new Map([[name, recorded.options]]) }),
      reporter: context.reporter,
      signal: context.signal,
    });
    return found ?? null;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    context.reporter.warn(error.message);
    return null;
  }
}
