import { canonicalJson, digestJson, type Json, sha256Hex } from '@lsgmer/datasets';
import { type FeatureInput, featureInputs, type FeatureSources, type LabelledId } from '../batches/source.ts';
import type { MetricKey } from '../evaluate/metrics.ts';
import type { HeadConfig } from '../head/contract.ts';

/**
 * Raised by hand when a change of ours moves results: batches, initial values, optimiser, graph. Runs of an
 * older version are stale, never mixed with newer ones.
 */
export const NUMERICS_VERSION = 4;

/** The parts of a fold that a run sees, by id with its class. */
export interface RunParts {
  readonly train: readonly LabelledId[];
  /** Never trained on; picks the epoch under the rule `dev`. */
  readonly dev: readonly LabelledId[];
  readonly test: readonly LabelledId[];
}

/** A feature as part of a run's identity. */
export interface FeatureIdentity {
  readonly feature: string;
  readonly fingerprint: string;
  /** sha256 of the ids and row checksums that the run's utterances have in it. */
  readonly rows: string;
}

/** Everything that a result depends on; what is not here (threads, paths, host, versions) is only recorded. */
export interface RunIdentity {
  readonly dataset: string;
  readonly task: string;
  /** In the order of their index. */
  readonly classes: readonly string[];
  readonly fold: string;
  readonly seed: number;
  readonly head: string;
  /** Digest of the head's source, where it comes from a file. */
  readonly headSource?: string;
  readonly config: HeadConfig;
  readonly features: { readonly [input in FeatureInput]?: FeatureIdentity };
  /** The task's main metric, which picks epochs. Which rule a table shows is no part of a run: it serves all of them. */
  readonly metric: MetricKey;
  /** sha256 of ids and classes of the training, dev and test part. */
  readonly utterances: string;
  /** Under standardise=speaker: sha256 of who speaks what. */
  readonly speakers?: string;
  readonly engine: string;
  readonly device: string;
  readonly numerics: number;
}

/** First 12 hex digits of the sha256 of the RFC 8785 JSON of the identity. */
export function runId(identity: RunIdentity): string {
  return digestJson(identity as unknown as Json).slice(0, 12);
}

/** Digest of the utterances and labels of the parts, in their order. */
export function utterancesDigest({ train, dev, test }: RunParts): string {
  const list = (rows: readonly LabelledId[]): Json => rows.map(({ id, label }) => [id, label]);
  return digestJson({ train: list(train), dev: list(dev), test: list(test) });
}

/** Identity of each feature over the given utterances; null stands for a row that a masked utterance lacks. */
export function featureIdentities(
  sources: FeatureSources,
  rows: readonly LabelledId[],
): RunIdentity['features'] {
  const found: { [input in FeatureInput]?: FeatureIdentity } = {};
  for (const input of featureInputs) {
    const source = sources[input];
    if (source === undefined) continue;
    const checksums = rows.map(({ id }) => [
      id,
      source.length(id) === undefined ? null : source.checksum(id),
    ]);
    found[input] = {
      feature: source.feature,
      fingerprint: source.fingerprint,
      rows: sha256Hex(canonicalJson(checksums)),
    };
  }
  return found;
}
