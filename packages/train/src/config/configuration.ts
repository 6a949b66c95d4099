import { UserErrors, nearest } from '@lsgmer/datasets';
import type { Head, HeadConfig, OptionSpec, OptionValue } from '../head/contract.ts';
import { describeType, problemOf, readValue } from './option.ts';
import { type TrainerConfig, trainerConfig, trainerOptions } from './trainer-options.ts';

/** One layer of settings and where it comes from, for error messages: `recipe demo`, `--set`. */
export interface Layer {
  readonly from: string;
  readonly set: { readonly [key: string]: OptionValue };
  /** No later layer may set these keys to another value: a variant without its setting would bear a false name. */
  readonly fixed?: boolean;
}

/** A complete, checked configuration. */
export interface Configuration {
  /** Every key with its value, trainer and head together: this is what a run's id covers. */
  readonly values: HeadConfig;
  readonly trainer: TrainerConfig;
  /** The head's keys only. */
  readonly head: HeadConfig;
}

/** One row of `train --options`. */
export interface OptionRow {
  readonly key: string;
  readonly type: string;
  readonly default: OptionValue;
  readonly source: string;
  readonly help: string;
}

/** All options of the trainer and of a head, trainer first. */
export function optionSpecs(head: Head): OptionSpec[] {
  const specs = [...trainerOptions, ...head.options];
  const seen = new Set<string>();
  for (const { key } of specs) {
    if (seen.has(key)) throw new Error(`head ${head.name}: option ${key} is declared twice`);
    seen.add(key);
  }
  return specs;
}

const TYPES: readonly unknown[] = ['number', 'integer', 'boolean'];

/** What is wrong with the options that a head of somebody else declares, one line each; plain data of any kind is taken. */
export function optionProblems({ options }: Pick<Head, 'options'>): string[] {
  const keys = trainerOptions.map(({ key }) => key);
  return options.flatMap((spec: Partial<OptionSpec> | null, i): string[] => {
    const { key, type } = spec ?? {};
    if (typeof key !== 'string' || key === '') return [`option ${i + 1} has no key`];
    if (keys.includes(key))
      return [`option ${key} is declared twice, or is one of the trainer's (train --options)`];
    keys.push(key);
    const known = Array.isArray(type) ? type.length > 0 : TYPES.includes(type);
    if (!known) return [`option ${key}: its type is number, integer, boolean or a list of texts`];
    const problem = problemOf(spec as OptionSpec, (spec as OptionSpec).default);
    return problem === undefined ? [] : [`default of ${problem}`];
  });
}

/** Rows for `train --options`: key, accepted values, default, source (equation or `own`), help. */
export function listOptions(head: Head): OptionRow[] {
  return optionSpecs(head).map((spec) => ({
    key: spec.key,
    type: describeType(spec),
    default: spec.default,
    source: spec.source,
    help: spec.help,
  }));
}

/**
 * Reads `--set key=value` texts into a layer, typed by the options.
 * @throws UserErrors with every text that has no `=`, an unknown key or an unreadable value.
 */
export function readSettings(head: Head, texts: readonly string[], from = '--set'): Layer {
  const byKey = new Map(optionSpecs(head).map((spec) => [spec.key, spec]));
  const set: { [key: string]: OptionValue } = {};
  const problems: string[] = [];
  for (const text of texts) {
    const at = text.indexOf('=');
    if (at <= 0) {
      problems.push(`${from} ${text}: expected key=value`);
      continue;
    }
    const key = text.slice(0, at);
    const spec = byKey.get(key);
    const value = spec === undefined ? text.slice(at + 1) : readValue(spec, text.slice(at + 1));
    if (key in set && set[key] !== value) problems.push(`${from}: ${key} is given twice`);
    set[key] = value;
  }
  problems.push(...problemsOf([...byKey.values()], [{ from, set }]));
  if (problems.length > 0) throw new UserErrors(problems);
  return { from, set };
}

/**
 * Lays the layers over the defaults, later ones winning, after checking every key and value of each.
 * @throws UserErrors with all unknown keys (naming the nearest known one) and all bad values at once.
 */
export function configure(head: Head, layers: readonly Layer[]): Configuration {
  const specs = optionSpecs(head);
  const problems = [...problemsOf(specs, layers), ...overruled(layers)];
  if (problems.length > 0) throw new UserErrors(problems);
  const values: { [key: string]: OptionValue } = {};
  for (const spec of specs) values[spec.key] = spec.default;
  for (const layer of layers) Object.assign(values, layer.set);
  return {
    values,
    trainer: trainerConfig(values),
    head: Object.fromEntries(head.options.map(({ key }) => [key, values[key] as OptionValue])),
  };
}

/** Settings that would take back what a fixed layer stands for. */
function overruled(layers: readonly Layer[]): string[] {
  return layers.flatMap((layer, i) => {
    if (layer.fixed !== true) return [];
    return layers.slice(i + 1).flatMap(({ from, set }) =>
      Object.entries(layer.set)
        .filter(([key, value]) => key in set && set[key] !== value)
        .map(
          ([key, value]) =>
            `${from}: ${key} is ${JSON.stringify(value)} in ${layer.from}; leave it, or choose other variants`,
        ),
    );
  });
}

/** Every problem of the layers, one line each. */
export function problemsOf(specs: readonly OptionSpec[], layers: readonly Layer[]): string[] {
  const byKey = new Map(specs.map((spec) => [spec.key, spec]));
  const problems: string[] = [];
  for (const { from, set } of layers) {
    for (const [key, value] of Object.entries(set)) {
      const spec = byKey.get(key);
      if (spec === undefined) {
        const near = nearest(key, [...byKey.keys()]);
        problems.push(`${from}: unknown key ${key}, the nearest is ${near}; train --options lists all`);
        continue;
      }
      const problem = problemOf(spec, value);
      if (problem !== undefined) problems.push(`${from}: ${problem}`);
    }
  }
  return problems;
}
