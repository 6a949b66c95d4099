import type { FeatureSet } from '@lsgmer/datasets';
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
    readBatch: (ids, steps, target) => set.readPadded(ids, steps, target),
    checksum: (id) => set.rowHash(id).toString(16).padStart(16, '0'),
  };
}
