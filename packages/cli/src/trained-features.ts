import {
  describeDifferences,
  diffComputation,
  type FeatureSet,
  findFeatureSets,
  openFeatureSet,
  UserErrors,
} from '@lsgmer/datasets';
import { type FeatureSources, type RunEntry, storedSource } from '@lsgmer/train';
import type { Context } from './context.ts';

/** Feature sets that a trained head reads, held open. */
export interface OpenFeatures {
  readonly sources: FeatureSources;
  readonly sets: { readonly [input: string]: FeatureSet };
  readonly close: () => void;
}

/** What may differ between the sets of two corpora: how values are stored. */
const STORAGE = new Set(['stored']);

/**
 * Opens the features of a dataset that a trained head can read: those of the encoders that it was trained on.
 * @throws UserErrors that name, for each input, the keys on which what is there differs
 */
export function openTrainedFeatures(context: Context, run: RunEntry, dataset: string): OpenFeatures {
  const { identity } = run;
  const stores = [...context.stores];
  const problems: string[] = [];
  const chosen: { input: string; feature: string; fingerprint: string }[] = [];
  for (const [input, { feature, fingerprint }] of Object.entries(identity.features)) {
    const there = findFeatureSets(stores, dataset, feature);
    const own = findFeatureSets(stores, identity.dataset, feature).find(
      (set) => set.fingerprint === fingerprint,
    );
    const fits = there.find(
      (set) =>
        set.fingerprint === fingerprint ||
        (own !== undefined && differences(own.spec.computation, set.spec.computation).length === 0),
    );
    if (fits !== undefined) {
      chosen.push({ input, feature, fingerprint: fits.fingerprint });
      continue;
    }
    const wanted = `run ${run.id} reads ${feature}@${fingerprint.slice(0, 12)}`;
    if (there.length === 0) {
      problems.push(`${wanted}, and ${dataset} has no ${feature}: extract it with the same encoder`);
      continue;
    }
    const how =
      own === undefined
        ? ''
        : `: ${there.map((set) => `${set.fingerprint.slice(0, 12)} differs in ${describeDifferences(differences(own.spec.computation, set.spec.computation))}`).join('; ')}`;
    const names = there.map((set) => set.fingerprint.slice(0, 12)).join(', ');
    problems.push(
      `${wanted}, and ${dataset} has it from another encoder (${names}), which is never mixed${how}; extract it with the same encoder`,
    );
  }
  if (problems.length > 0) throw new UserErrors(problems);
  const sets = chosen.map(({ feature, fingerprint }) =>
    openFeatureSet({ stores, dataset, feature, fingerprint }),
  );
  return {
    sources: Object.fromEntries(chosen.map(({ input }, i) => [input, storedSource(sets[i] as FeatureSet)])),
    sets: Object.fromEntries(chosen.map(({ input }, i) => [input, sets[i] as FeatureSet])),
    close: () => {
      for (const set of sets) set.close();
    },
  };
}

function differences(
  old: Parameters<typeof diffComputation>[0],
  now: Parameters<typeof diffComputation>[1],
): ReturnType<typeof diffComputation> {
  return diffComputation(old, now).filter(({ key }) => !STORAGE.has(key));
}
