import type { Fold } from '@lsgmer/datasets';
import type { FeatureSources, LabelledId } from '../batches/source.ts';
import type { Configuration } from '../config/configuration.ts';
import type { MissingRule, SelectionRule } from '../config/recipe.ts';
import type { MetricKey } from '../evaluate/metrics.ts';
import type { Engine, FeatureDims, Head, HeadConfig } from '../head/contract.ts';

/** A row of the result's table. */
export interface VariantRequest {
  readonly name: string;
  readonly configuration: Configuration;
}

/** Makes engines of one kind; `name` and `device` are part of a run's identity. */
export interface EngineFactory {
  readonly name: string;
  readonly device: string;
  create(head: Head, config: HeadConfig, dims: FeatureDims, classes: number): Promise<Engine>;
}

/** What must stand beside every number of an experiment. */
export interface ProtocolNote {
  /** As people read it: `leave one session out`. */
  readonly name: string;
  /** Test speakers are also heard in training. */
  readonly speakerDependent: boolean;
  /** The filter of utterances, as it was given. */
  readonly where: string | null;
  /** As they were asked for, so that the folds can be cut again; null for the task's own, and for no carved dev part. */
  readonly asked: string | null;
  readonly dev: string | null;
}

/** A whole experiment: variants x seeds x folds over one task of one dataset. */
export interface ExperimentRequest {
  readonly dataset: string;
  /** Generated data: the result says so. */
  readonly synthetic: boolean;
  readonly task: string;
  /** Class names by index. */
  readonly classes: readonly string[];
  /** The task's main metric. */
  readonly metric: MetricKey;
  /** Every utterance of the task, in the manifest's order. */
  readonly rows: readonly LabelledId[];
  /** How the folds were cut: shown with the result, no part of a run's identity (its utterances are). */
  readonly protocol?: ProtocolNote | undefined;
  /** The folds to run. A dev part is carried, not trained on. */
  readonly folds: readonly Fold[];
  /** Ids of all folds of the protocol, run here or not; recorded. */
  readonly allFolds?: readonly string[] | undefined;
  readonly seeds: readonly number[];
  readonly head: Head;
  readonly variants: readonly VariantRequest[];
  /** Features at hand; each variant uses those that its head asks for. */
  readonly sources: FeatureSources;
  readonly missing: MissingRule;
  readonly select: SelectionRule;
  /** Train again on train and dev, for the epochs that dev picked; needs the rule `dev`. */
  readonly refit?: boolean;
  /** Recorded: a trial of a sweep, which has no test part, or trained again on train and dev. */
  readonly role?: 'trial' | 'refit' | undefined;
  readonly engine: EngineFactory;
  /** Whether runs leave analysis.arrow and labels.arrow, which no number depends on; true unless given. */
  readonly analysis?: boolean | undefined;
  /** Folder of all runs. */
  readonly runs: string;
  /** Stores of the features: each that may be written gets a pin of every run, so that gc keeps what it used. */
  readonly stores?: readonly string[];
  /** Recorded in config.json, not part of any identity: versions, threads, host, command. */
  readonly environment: { readonly [key: string]: string | number | boolean | null };
}
