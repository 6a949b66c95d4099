import { Rng } from '../../src/base/rng.ts';
import type { FeatureRow, FeatureSpec } from '../../src/store/feature-spec.ts';
import { fingerprintOf } from '../../src/store/fingerprint.ts';

/** Invented features, equal on every machine: for the tests, and for the golden shards that Python checks. */

export function sampleSpec(
  changes: Partial<Pick<FeatureSpec, 'kind' | 'dtype' | 'dim' | 'feature' | 'computation'>> = {},
): FeatureSpec {
  const kind = changes.kind ?? 'audio';
  const dtype = changes.dtype ?? 'float16';
  const computation = changes.computation ?? { encoder: `sample-${kind}`, layer: 12, dtype, version: 1 };
  return {
    format: 1,
    dataset: 'sample',
    feature: changes.feature ?? `sample-${kind}`,
    fingerprint: fingerprintOf(computation),
    kind,
    dim: changes.dim ?? 8,
    dtype,
    firstSeconds: kind === 'text' ? null : 0.0125,
    stepSeconds: kind === 'text' ? null : 0.02,
    computation,
    provenance: { tool: 'sample', threads: 1 },
  };
}

/** Row number i: 1 to 12 steps, values of very different sizes, both zeros and subnormals of float16 included. */
export function sampleRow(
  spec: FeatureSpec,
  i: number,
  split: string | null = 'train',
  version = 0,
): FeatureRow {
  const rng = Rng.for('sample', spec.kind, i, version);
  const n = 1 + rng.int(12);
  const features = Float32Array.from(
    { length: n * spec.dim },
    (_, k) => rng.normal() * 2 ** (rng.int(30) - 22) * (k % 7 === 0 ? 0 : 1),
  );
  features[0] = -0;
  const id = `sample/${split ?? 'all'}/u${String(i).padStart(4, '0')}`;
  const row = { id, split, n, features, input: `input-${i}-${version}` };
  if (spec.kind === 'audio') return row;
  const tokenIds = Int32Array.from({ length: n }, () => rng.int(50_000));
  const tokenSpans = Int32Array.from({ length: 2 * n }, (_, k) =>
    k < 2 || k >= 2 * n - 2 ? 0 : 3 * (k >> 1) + 2 * (k & 1),
  );
  return { ...row, tokenIds, tokenSpans };
}

export function sampleRows(spec: FeatureSpec, count: number, split: string | null = 'train'): FeatureRow[] {
  return Array.from({ length: count }, (_, i) => sampleRow(spec, i, split));
}
