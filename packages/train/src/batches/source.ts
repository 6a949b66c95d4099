import type { FeatureDtype } from '@lsgmer/datasets';
import type { BatchShape, FeatureDims } from '../head/contract.ts';
import type { Lengths } from './shapes.ts';

/** A cached feature as batches read it: one row an utterance, found by id. */
export interface FeatureSource {
  /** Name of the feature, for messages. */
  readonly feature: string;
  readonly fingerprint: string;
  /** Values per step. */
  readonly dim: number;
  readonly dtype: FeatureDtype;
  /** Centre of step 0 and distance of steps, in seconds; null where steps have no time (tokens). */
  readonly firstSeconds: number | null;
  readonly stepSeconds: number | null;
  /** Steps of a row; undefined where the set has no row of that id. */
  length(id: string): number | undefined;
  /** Why a row is absent, where the set knows it (quarantined). */
  reason?(id: string): string | undefined;
  /**
   * Writes the row's steps x dim values (float16 bits or float32, as `dtype` says) from `offset` on.
   * @throws where the row cannot be read or fails its checksum
   */
  readInto(id: string, target: Uint16Array | Float32Array, offset: number): void | Promise<void>;
  /**
   * Reads a whole batch off the caller's thread, where the source can: row i of `target` begins with utterance i and
   * ends with zeros. Nothing else may touch these rows of `target` until it is done.
   * @param steps room for each row
   * @throws as readInto does
   */
  readonly readBatch?: (
    ids: readonly string[],
    steps: number,
    target: Uint16Array | Float32Array,
  ) => Promise<unknown>;
  /** Checksum of a row (xxh64, 16 hex digits), part of a run's identity. */
  checksum(id: string): string;
}

/** Inputs that come from cached features. */
export type FeatureInput = 'text' | 'audio' | 'map';
export const featureInputs: readonly FeatureInput[] = ['text', 'audio', 'map'];

/** Sources by input; only those that a configuration uses. */
export type FeatureSources = { readonly [input in FeatureInput]?: FeatureSource };

export interface LabelledId {
  readonly id: string;
  /** Index of the class. */
  readonly label: number;
  /** Where it is known. */
  readonly speaker?: string;
}

/** An utterance that lacks a feature. */
export interface Missing {
  readonly id: string;
  /** One line: which features, and why where that is known. */
  readonly reason: string;
}

/** Utterances with their features, and the lengths of each. Memory: a few numbers an utterance. */
export interface Joined {
  readonly rows: readonly LabelledId[];
  /** Of each row, in the same order; 0 for a feature that it lacks (its modality is masked). */
  readonly lengths: readonly Lengths[];
  /** Utterances that are not among the rows. */
  readonly missing: readonly Missing[];
  /** Utterances among the rows that lack a modality. */
  readonly masked: readonly Missing[];
}

/** Values per step of each input; 0 where it is not used. */
export function featureDims(sources: FeatureSources): FeatureDims {
  return { text: sources.text?.dim ?? 0, audio: sources.audio?.dim ?? 0, map: sources.map?.dim ?? 0 };
}

/**
 * Joins features by id: keeps the order of `rows`, lists what is missing.
 * @param partial keep utterances that have one modality of two; audio and map are one modality, and it needs both
 */
export function joinFeatures(rows: readonly LabelledId[], sources: FeatureSources, partial = false): Joined {
  const kept: LabelledId[] = [];
  const lengths: Lengths[] = [];
  const missing: Missing[] = [];
  const masked: Missing[] = [];
  for (const row of rows) {
    const own = { text: 0, audio: 0, map: 0 };
    const reasons: string[] = [];
    for (const input of featureInputs) {
      const source = sources[input];
      if (source === undefined) continue;
      const steps = source.length(row.id);
      // a row of 0 steps has nothing to attend to: it counts as absent
      if (steps === undefined || steps === 0) {
        const why = steps === 0 ? '0 steps' : source.reason?.(row.id);
        reasons.push(why === undefined ? `no ${source.feature}` : `no ${source.feature} (${why})`);
      } else {
        own[input] = steps;
      }
    }
    const lacking = { id: row.id, reason: reasons.join(', ') };
    if (reasons.length > 0) {
      const hears = [sources.audio, sources.map].filter((source) => source !== undefined).length;
      const heard = Number(own.audio > 0) + Number(own.map > 0);
      if (heard < hears) [own.audio, own.map] = [0, 0];
      if (!partial || own.text + own.audio + own.map === 0) {
        missing.push(lacking);
        continue;
      }
      masked.push(lacking);
    }
    kept.push(row);
    lengths.push(own);
  }
  return { rows: kept, lengths, missing, masked };
}

/** Lengths that room must be made for: at least one step of each, so that no graph has an empty axis. */
export function roomFor(lengths: readonly Lengths[], sources: FeatureSources): Lengths[] {
  const room = (input: FeatureInput, steps: number): number =>
    sources[input] === undefined ? 0 : Math.max(1, steps);
  return lengths.map(({ text, audio, map }) => ({
    text: room('text', text),
    audio: room('audio', audio),
    map: room('map', map),
  }));
}

/** A name for maps keyed by shape. */
export function shapeKey({ rows, text, audio, map }: BatchShape): string {
  return `${rows}x${text}x${audio}x${map}`;
}
