import { type FeatureSetIndex, type FeatureSpec, type Utterance, planExtraction } from '@lsgmer/datasets';
import type { EncoderModel } from '../models/model-folder.ts';
import { type MediaDigests, audioInput, textInput } from './input-digest.ts';

/** One utterance that has to be computed. */
export interface PlannedRow {
  readonly utterance: Utterance;
  /** sha256 of what is encoded. */
  readonly input: string;
  /** Place in the manifest. */
  readonly order: number;
}

/** What is left to do for one feature set. */
export interface SetPlan {
  readonly model: EncoderModel;
  /** Position in the model's list of features. */
  readonly feature: number;
  readonly spec: FeatureSpec;
  /** In the manifest's order. */
  readonly rows: readonly PlannedRow[];
  /** Rows of `rows` that are computed again because their input has changed. */
  readonly stale: number;
  readonly done: number;
  /** Could not be computed before, from the same input. */
  readonly quarantined: readonly { readonly id: string; readonly reason: string }[];
}

/**
 * Compares the manifest with what a feature set holds. Pure.
 * @param retryQuarantined computes again what failed before, though its input is the same
 */
export function planSet(
  model: EncoderModel,
  feature: number,
  spec: FeatureSpec,
  utterances: readonly Utterance[],
  index: Pick<FeatureSetIndex, 'rows' | 'quarantined'>,
  digests: MediaDigests,
  retryQuarantined: boolean,
): SetPlan {
  const inputOf = model.form.kind === 'text' ? textInput : (row: Utterance) => audioInput(row, digests);
  const wanted = utterances.map((utterance, order) => ({
    id: utterance.id,
    input: inputOf(utterance),
    utterance,
    order,
  }));
  const plan = planExtraction(wanted, index);
  const left = new Set([...plan.todo, ...plan.stale, ...(retryQuarantined ? plan.quarantined : [])]);
  return {
    model,
    feature,
    spec,
    rows: wanted
      .filter(({ id }) => left.has(id))
      .map(({ utterance, input, order }) => ({ utterance, input, order })),
    stale: plan.stale.length,
    done: plan.done.length,
    quarantined: (retryQuarantined ? [] : plan.quarantined).map((id) => ({
      id,
      reason: index.quarantined.get(id)?.reason ?? 'unknown',
    })),
  };
}
