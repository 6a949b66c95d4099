import { openFeatureSetWriter } from '../../src/store/feature-set-writer.ts';
import type { FeatureSpec } from '../../src/store/feature-spec.ts';
import { sampleRows, sampleSpec } from './sample-rows.ts';

/** The sets that pyarrow has read (test/golden/store): text and audio as float16, audio as float32. */
export const GOLDEN_SPECS: readonly FeatureSpec[] = [
  sampleSpec({ kind: 'text' }),
  sampleSpec({ kind: 'audio' }),
  sampleSpec({ kind: 'audio', dtype: 'float32', feature: 'sample-audio-wide' }),
];

/** Each set has 40 rows of one split: a full record batch and a short one, in one shard. */
export const GOLDEN_ROWS = 40;

/** Writes all golden sets into a store; the same bytes on every machine. */
export function writeGoldenSets(store: string): void {
  for (const spec of GOLDEN_SPECS) {
    const writer = openFeatureSetWriter({ store, spec, part: 'golden' });
    for (const row of sampleRows(spec, GOLDEN_ROWS)) writer.append(row);
    writer.close();
  }
}
