import type { FeatureSpec } from '@lsgmer/datasets';
import { z } from 'zod';
import { type FeatureOptions, FeatureOptionsJson, featureName } from './feature-options.ts';
import { type ModelRequest, parseSource } from './model-request.ts';
import { TINY_NAMES, type TinyName } from './tiny.ts';

const Recorded = z.object({ name: z.string(), source: z.string().nullable(), options: FeatureOptionsJson });

/**
 * The model that a feature was made with, as feature.json has it (provenance): what it takes to compute rows again.
 * @returns null where nothing is written down, or the source is not there any more
 */
export function recordedModel(
  spec: FeatureSpec,
): { model: ModelRequest | TinyName; options: FeatureOptions } | null {
  const parsed = Recorded.safeParse(spec.provenance['model']);
  if (!parsed.success) return null;
  const { name, source } = parsed.data;
  const all = parsed.data.options as FeatureOptions;
  // Of several layers, the one whose feature it is.
  const own =
    all.layers === 'last' ? undefined : all.layers.find((k) => featureName(name, k, all) === spec.feature);
  const options = own === undefined ? all : { ...all, layers: [own] };
  const tiny = TINY_NAMES.find((one) => one === name);
  if (tiny !== undefined) return { model: tiny, options };
  if (source === null) return null;
  try {
    return { model: { name, source: parseSource(source) }, options };
  } catch {
    return null;
  }
}
