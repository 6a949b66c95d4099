import type { FeatureSet } from '@lsgmer/datasets';
import { Loader, type StoredLocation } from './loader.ts';
import type { FeatureSource } from './source.ts';

/** A feature set of the store as a source of batches. The set stays the caller's, who closes it. */
export function storedSource(set: FeatureSet): FeatureSource {
  const quarantined = set.quarantined();
  return {
    feature: set.spec.feature,
    fingerprint: set.fingerprint,
    dim: set.dim,
    dtype: set.dtype,
    firstSeconds: set.spec.firstSeconds,
    stepSeconds: set.spec.stepSeconds,
    length: (id) => (set.has(id) ? set.length(id) : undefined),
    reason: (id) => quarantined.get(id),
    readInto: (id, target, offset) => void set.readInto(id, target, offset),
    checksum: (id) => set.rowHash(id).toString(16).padStart(16, '0'),
  };
}

/**
 * Feature sets as sources whose batches are read by one thread of their own. The sets stay the caller's, and so
 * does the loader: close it first.
 * @param stores where the sets were found
 */
export function loadedSources(
  sets: readonly FeatureSet[],
  stores: readonly string[],
  entry?: URL,
): { readonly sources: FeatureSource[]; readonly loader: Loader } {
  const locations = sets.map(({ spec, fingerprint, dtype }): StoredLocation => ({
    stores,
    dataset: spec.dataset,
    feature: spec.feature,
    fingerprint,
    dtype,
  }));
  const loader = new Loader(locations, entry);
  const sources = sets.map((set, i): FeatureSource => ({
    ...storedSource(set),
    readBatch: (ids, steps, rows, memory) => loader.read(i, ids, steps, rows, memory),
  }));
  return { sources, loader };
}
