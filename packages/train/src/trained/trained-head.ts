import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@lsgmer/datasets';
import { featureDims, type FeatureSources } from '../batches/source.ts';
import { namedStandards, type Standards } from '../batches/standards.ts';
import type { RunEntry } from '../catalogue/run-entry.ts';
import type { SelectionRule } from '../config/recipe.ts';
import { type TrainerConfig, trainerConfig, trainerOptions } from '../config/trainer-options.ts';
import { parameterViews } from '../engine/parameters.ts';
import { usedSources } from '../experiment/plan.ts';
import type { EngineFactory } from '../experiment/request.ts';
import { decodeSafetensors, type Safetensors } from '../fit/safetensors.ts';
import type { Engine, FeatureDims, Head, HeadConfig } from '../head/contract.ts';
import { ruleFile } from '../record/run-folder.ts';

/** A finished run's head under one selection rule, ready to be used again. */
export interface TrainedHead {
  readonly run: RunEntry;
  readonly rule: SelectionRule;
  /** The epoch that the rule chose. */
  readonly epoch: string;
  readonly head: Head;
  /** The head's own settings. */
  readonly config: HeadConfig;
  readonly trainer: TrainerConfig;
  readonly classes: readonly string[];
  /** Parameters by name. */
  readonly tensors: Safetensors['tensors'];
  /** Statistics of the training part that features are standardised with; undefined where they are not. */
  readonly standards: Standards | undefined;
}

/**
 * Reads a finished run's head.
 * @param head the run's head: by its name, or loaded from its file again
 * @throws UserError where the run is not finished, has no head under the rule, or the head's file has changed
 */
export function openTrained(run: RunEntry, head: Head, rule: SelectionRule): TrainedHead {
  const { identity } = run;
  if (run.status !== 'finished')
    throw new UserError(`run ${run.id} is not finished: train it to its end first`);
  if (head.source !== identity.headSource)
    throw new UserError(
      `run ${run.id} was trained with another version of head ${identity.head}: give its file as it was then with --head`,
    );
  const path = join(run.path, ruleFile('head', rule, 'safetensors'));
  if (!existsSync(path)) {
    const why = rule === 'dev' ? 'it was trained without a dev part' : 'the file is missing';
    throw new UserError(`run ${run.id} has no head under the rule ${rule} (${path}): ${why}`);
  }
  let file: Safetensors;
  try {
    file = decodeSafetensors(readFileSync(path));
  } catch (error) {
    throw new UserError(`${path}: ${(error as Error).message}; delete ${run.path} and train again`);
  }
  const values = { ...defaultsOf(trainerOptions), ...defaultsOf(head.options), ...identity.config };
  const standards = Object.entries(file.tensors).filter(([name]) => name.startsWith('standardise.'));
  const named = Object.fromEntries(standards.map(([name, { values }]) => [name, values]));
  return {
    run,
    rule,
    epoch: file.metadata['epoch'] ?? '',
    head,
    config: Object.fromEntries(head.options.map(({ key }) => [key, values[key] as HeadConfig[string]])),
    trainer: trainerConfig(values),
    classes: identity.classes,
    tensors: file.tensors,
    standards: standards.length === 0 ? undefined : namedStandards(named),
  };
}

/** The features among those at hand that the head reads, and their widths. */
export function readBy(
  { head, config, classes }: TrainedHead,
  sources: FeatureSources,
): { readonly used: FeatureSources; readonly dims: FeatureDims } {
  const used = usedSources(head, config, sources, classes.length);
  return { used, dims: featureDims(used) };
}

/**
 * An engine that holds the head's parameters; the caller disposes of it.
 * @throws UserError where features have other widths than those that it was trained on
 */
export async function engineOf(
  trained: TrainedHead,
  factory: EngineFactory,
  dims: FeatureDims,
): Promise<Engine> {
  const parameters = flatParameters(trained, dims);
  const engine = await factory.create(trained.head, trained.config, dims, trained.classes.length);
  engine.parameters.set(parameters);
  return engine;
}

/** The parameters in the order of the flat vector. @throws UserError where a tensor is missing or of another size */
export function flatParameters(
  { head, config, classes, tensors, run }: TrainedHead,
  dims: FeatureDims,
): Float32Array {
  const views = parameterViews(head.parameters(config, dims, classes.length));
  const last = views.at(-1);
  const out = new Float32Array(last === undefined ? 0 : last.offset + last.length);
  for (const { name, offset, length, shape } of views) {
    const found = tensors[name];
    if (found?.values.length !== length) {
      const has = found === undefined ? 'is missing' : `has shape [${found.shape.join(', ')}]`;
      throw new UserError(
        `run ${run.id}: parameter ${name} ${has}, these features need [${shape.join(', ')}]: it was trained on others`,
      );
    }
    out.set(found.values, offset);
  }
  return out;
}

const defaultsOf = (
  options: readonly { readonly key: string; readonly default: HeadConfig[string] }[],
): { [key: string]: HeadConfig[string] } => Object.fromEntries(options.map((one) => [one.key, one.default]));
