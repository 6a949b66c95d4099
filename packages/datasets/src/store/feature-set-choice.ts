import { UserError } from '../base/errors.ts';
import { type Computation, describeDifferences, diffComputation } from './fingerprint.ts';
import { readFeatureSetIndex } from './index-union.ts';
import { checkName } from './layout.ts';
import {
  coverageOf,
  findFeatureSets,
  type FoundFeatureSet,
  listDatasets,
  listFeatures,
} from './store-listing.ts';

export interface FeatureSetChoice {
  /** Read in this order. */
  readonly stores: readonly string[];
  readonly dataset: string;
  /** `name`, or `name@<first digits of the fingerprint>`. */
  readonly feature: string;
  /** Whole fingerprint or its first digits; the same as after `@`. */
  readonly fingerprint?: string;
  /** Ids that a set must have (computed or quarantined) to count as complete; without them every set with rows does. */
  readonly ids?: readonly string[];
  /** What is wanted: when the set is not there, the error shows on which keys the ones that are there differ. */
  readonly computation?: Computation;
}

/**
 * Finds the one feature set that is meant. Sets of different fingerprints are never mixed.
 * @throws UserError, with what there is, when nothing fits, or more than one complete set does.
 */
export function chooseFeatureSet(choice: FeatureSetChoice): FoundFeatureSet {
  const { stores, dataset } = choice;
  const [feature, prefix] = splitFeature(choice);
  const all = findFeatureSets(stores, checkName('dataset', dataset), checkName('feature', feature));
  if (all.length === 0) throw nothingThere(stores, dataset, feature);
  const matching = all.filter((set) => set.fingerprint.startsWith(prefix));
  if (matching.length === 0) {
    throw new UserError(
      `${dataset} has no ${feature} with fingerprint ${prefix}; there is ${describe(all, choice.computation)}; ` +
        `choose one as ${feature}@<first digits>, or extract the one that you want`,
    );
  }
  if (matching.length === 1) return matching[0] as FoundFeatureSet;
  const complete = matching.filter((set) => isComplete(set, choice));
  if (complete.length === 1) return complete[0] as FoundFeatureSet;
  const state = complete.length === 0 ? 'none of them complete' : `${complete.length} of them complete`;
  throw new UserError(
    `${dataset} has ${matching.length} sets of ${feature}, ${state}: ${describe(complete.length === 0 ? matching : complete, choice.computation)}; ` +
      `choose one as ${feature}@<first digits> (train: --features ...=${feature}@<first digits>)`,
  );
}

function splitFeature({ feature, fingerprint }: FeatureSetChoice): [name: string, prefix: string] {
  const at = feature.indexOf('@');
  const name = at < 0 ? feature : feature.slice(0, at);
  const prefix = fingerprint ?? (at < 0 ? '' : feature.slice(at + 1));
  if ((at >= 0 || fingerprint !== undefined) && !/^[0-9a-f]{1,64}$/.test(prefix)) {
    throw new UserError(
      `"${prefix}" is no beginning of a fingerprint: expected 1 to 64 lower-case hex digits after "${name}@"`,
    );
  }
  return [name, prefix];
}

function isComplete(set: FoundFeatureSet, { stores, ids }: FeatureSetChoice): boolean {
  const index = readFeatureSetIndex(stores, set);
  return ids ? coverageOf(index, ids).missing.length === 0 : index.rows.size > 0;
}

/** `a1b2c3d4e5f6 (layer: 12 -> 24), ...`: each set by its first digits and how it differs from the wanted, or the first, one. */
function describe(sets: readonly FoundFeatureSet[], wanted?: Computation): string {
  const reference = wanted ?? sets[0]?.spec.computation ?? {};
  const lines = sets.map(({ fingerprint, spec }) => {
    const differences = wanted
      ? diffComputation(spec.computation, reference)
      : diffComputation(reference, spec.computation);
    const short = fingerprint.slice(0, 12);
    return differences.length === 0 ? short : `${short} (${describeDifferences(differences)})`;
  });
  return lines.join(', ');
}

function nothingThere(stores: readonly string[], dataset: string, feature: string): UserError {
  const where = stores.length === 0 ? '(no store was given)' : stores.join(', ');
  const datasets = listDatasets(stores);
  if (!datasets.includes(dataset)) {
    const there = datasets.length === 0 ? 'they hold nothing' : `they hold ${datasets.join(', ')}`;
    return new UserError(`no dataset ${dataset} in ${where}: ${there}; extract or pull its features first`);
  }
  const features = listFeatures(stores, dataset);
  const there = features.length === 0 ? 'none was extracted yet' : `there is ${features.join(', ')}`;
  return new UserError(
    `${dataset} has no feature ${feature} in ${where}: ${there}; extract it, or choose another`,
  );
}
