import {
  type Computation,
  type FeatureDtype,
  type FeatureSpec,
  type Json,
  UserError,
  findFeatureSets,
  fingerprintOf,
  isImported,
  setTitle,
} from '@lsgmer/datasets';
import { type DecodePolicy, describeDecoding } from '../decode/policy.ts';
import type { ModelFeature } from '../models/model-features.ts';
import type { EncoderModel } from '../models/model-folder.ts';

export interface FeatureSetOptions {
  readonly dataset: string;
  readonly policy: DecodePolicy;
  readonly dtype: FeatureDtype;
  /** Written beside the computation, not part of the fingerprint. */
  readonly provenance: { readonly [key: string]: Json };
}

/** All that the fingerprint is made of: encoder, digests, preparation, decoding, stored type. */
export function computationOf(
  model: EncoderModel,
  feature: ModelFeature,
  policy: DecodePolicy,
  dtype: FeatureDtype,
): Computation {
  const { sampleRate } = model.form;
  return {
    ...feature.computation,
    ...(sampleRate === null ? {} : { decode: describeDecoding({ ...policy, sampleRate }) }),
    stored: dtype,
  };
}

/** feature.json of one of a model's features on one dataset. */
export function featureSpecOf(
  model: EncoderModel,
  feature: ModelFeature,
  options: FeatureSetOptions,
): FeatureSpec {
  const computation = computationOf(model, feature, options.policy, options.dtype);
  return {
    format: 1,
    dataset: options.dataset,
    feature: feature.name,
    fingerprint: fingerprintOf(computation),
    kind: model.form.kind,
    dim: feature.dim,
    dtype: options.dtype,
    firstSeconds: feature.firstSeconds,
    stepSeconds: feature.stepSeconds,
    computation: { ...computation },
    provenance: { ...options.provenance },
  };
}

/** @throws UserError when two models of one run write features of the same name */
export function checkNames(models: readonly EncoderModel[]): void {
  const seen = new Map<string, string>();
  for (const { features, folder } of models) {
    for (const { name } of features) {
      const other = seen.get(name);
      if (other !== undefined) throw new UserError(`two models are named ${name}: ${other} and ${folder}`);
      seen.set(name, folder);
    }
  }
}

/** A name holds one set, or others computed by encoders. @throws UserError when an import has the name of one of the models' features */
export function refuseImportedNames(
  models: readonly EncoderModel[],
  dataset: string,
  stores: readonly string[],
): void {
  for (const { name } of models.flatMap(({ features }) => features)) {
    // a set that cannot be read is reported where it is used
    const imported = findFeatureSets(stores, dataset, name, () => {}).find(({ spec }) => isImported(spec));
    if (imported !== undefined)
      throw new UserError(
        `${dataset}/${name} holds features that were imported (${setTitle(imported)}), and a name holds one set: ` +
          `give the encoder another name (--model NAME=SOURCE), or the import (move ${imported.folders.join(', ')} away, import it again with another --name)`,
      );
  }
}
