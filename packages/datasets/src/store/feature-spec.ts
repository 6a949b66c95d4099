import { z } from 'zod';
import type { Json } from '../base/canonical-json.ts';

/** Kinds of feature by what a row's steps are: tokens of the text, frames of the waveform, columns of a spectrogram picture. */
export const FeatureKind = z.enum(['text', 'audio']);

/** float16 values travel as their 16 bits (Uint16Array); nothing converts them on the way to the graph. */
export const FeatureDtype = z.enum(['float16', 'float32']);
export type FeatureDtype = z.infer<typeof FeatureDtype>;

export const JsonValue: z.ZodType<Json> = z.json();

/**
 * feature.json: what was computed. `computation` is hashed to the fingerprint (design.md lists its keys);
 * `provenance` is not (device, threads, batch size, versions, paths).
 */
export const FeatureSpec = z.strictObject({
  format: z.literal(1),
  dataset: z.string(),
  /** Folder name of the feature, for instance `random-tiny-wavlm`. */
  feature: z.string().regex(/^[A-Za-z0-9._-]+$/),
  fingerprint: z.string().regex(/^[0-9a-f]{64}$/),
  kind: FeatureKind,
  dim: z.number().int().positive(),
  dtype: FeatureDtype,
  /** Seconds of the centre of step 0 and between steps; null where steps have no time (tokens). */
  firstSeconds: z.number().nullable(),
  stepSeconds: z.number().positive().nullable(),
  computation: z.record(z.string(), JsonValue),
  provenance: z.record(z.string(), JsonValue),
});
export type FeatureSpec = z.infer<typeof FeatureSpec>;

/** Encoder of features that were made elsewhere. */
export const IMPORTED = 'imported';

/** True for a feature that was made elsewhere: no encoder here computes it again. */
export function isImported({ computation }: Pick<FeatureSpec, 'computation'>): boolean {
  return computation['encoder'] === IMPORTED;
}

/** One utterance's feature on its way into a shard. */
export interface FeatureRow {
  readonly id: string;
  /** A shard holds rows of one split only; null where the corpus has none. */
  readonly split: string | null;
  /** Steps (tokens or frames). */
  readonly n: number;
  /** n * dim values, row-major, always float32 here: the writer checks that they are finite and casts. */
  readonly features: Float32Array;
  /** Text only: n token ids, and 2n offsets (start, end in UTF-16 units of the text; 0,0 for special tokens). */
  readonly tokenIds?: Int32Array;
  readonly tokenSpans?: Int32Array;
  /** sha256 of what was encoded: media and segment, or text. A changed digest makes the row stale. */
  readonly input: string;
}

/** One utterance's feature as read: `values` holds float16 bits or float32, n * dim. */
export interface StoredRow {
  readonly id: string;
  readonly n: number;
  readonly values: Uint16Array | Float32Array;
  readonly tokenIds?: Int32Array;
  readonly tokenSpans?: Int32Array;
}
