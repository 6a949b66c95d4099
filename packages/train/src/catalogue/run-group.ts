import { digestJson, UserError } from '@lsgmer/datasets';
import type { RunEntry } from './run-entry.ts';

/**
 * Runs that differ in fold and seed alone: one row of a table. Whatever else their numbers depend on is equal, so
 * that nothing unlike is ever averaged: another configuration, fingerprint, protocol or numerics version makes
 * another group.
 */
export interface RunGroup {
  /** Digest of what the runs share, 12 hex digits. */
  readonly key: string;
  /** The variant's name, with what tells it from other groups of that name: `full`, `full (lr=0.001)`. Unique. */
  readonly label: string;
  readonly variant: string;
  readonly dataset: string;
  readonly task: string;
  readonly classes: readonly string[];
  readonly head: string;
  readonly config: RunEntry['identity']['config'];
  /** By input of the head. */
  readonly features: RunEntry['identity']['features'];
  readonly engine: string;
  readonly device: string;
  readonly numerics: number;
  readonly protocol: RunEntry['protocol'];
  /** Of another numerics version than this program's. */
  readonly stale: boolean;
  readonly seeds: readonly number[];
  /** Folds of the protocol where the runs say so, else all that any run of the same task and protocol has. */
  readonly folds: readonly string[];
  /** By seed, then fold. */
  readonly runs: readonly RunEntry[];
  /** Cells of seeds x folds without a run. */
  readonly missing: readonly { readonly seed: number; readonly fold: string }[];
  /** Runs that are not finished. */
  readonly unfinished: readonly RunEntry[];
  /** Ids of runs that saw other utterances or labels than the manifest has now; absent where nobody compared them. */
  readonly outdated?: readonly string[];
  /** Why its runs must not be averaged, a line each; empty where they may. */
  readonly mixed: readonly string[];
}

/** What a group's runs have in common, as plain values by name: `config.lr`, `features.text.fingerprint`. */
type Shared = ReadonlyMap<string, string>;

/** Groups runs; those of several datasets and tasks fall apart by themselves. In the order of the entries. */
export function groupRuns(entries: readonly RunEntry[]): RunGroup[] {
  const byKey = new Map<string, { shared: Shared; runs: RunEntry[] }>();
  for (const entry of entries) {
    const shared = sharedOf(entry);
    const key = digestJson(Object.fromEntries(shared)).slice(0, 12);
    const group = byKey.get(key);
    if (group === undefined) byKey.set(key, { shared, runs: [entry] });
    else group.runs.push(entry);
  }
  const labels = labelGroups(
    [...byKey.values()].map(({ shared, runs }) => ({ shared, run: runs[0] as RunEntry })),
  );
  return [...byKey].map(([key, { runs }], i) => groupOf(key, labels[i] as string, runs, entries));
}

function groupOf(key: string, label: string, runs: readonly RunEntry[], all: readonly RunEntry[]): RunGroup {
  const first = runs[0] as RunEntry;
  const { dataset, task, classes, head, config, features, engine, device, numerics } = first.identity;
  const seeds = [...new Set(runs.map((run) => run.identity.seed))].sort((a, b) => a - b);
  const folds = foldsOf(runs, all);
  const there = new Set(runs.map((run) => `${run.identity.seed} ${run.identity.fold}`));
  return {
    key,
    label,
    variant: first.variant,
    dataset,
    task,
    classes,
    head,
    config,
    features,
    engine,
    device,
    numerics,
    protocol: first.protocol,
    stale: first.stale,
    seeds,
    folds,
    runs: [...runs].sort(
      (a, b) =>
        a.identity.seed - b.identity.seed || folds.indexOf(a.identity.fold) - folds.indexOf(b.identity.fold),
    ),
    missing: seeds.flatMap((seed) =>
      folds.filter((fold) => !there.has(`${seed} ${fold}`)).map((fold) => ({ seed, fold })),
    ),
    unfinished: runs.filter((run) => run.status !== 'finished'),
    mixed: mixtures(runs),
  };
}

function foldsOf(runs: readonly RunEntry[], all: readonly RunEntry[]): string[] {
  const first = runs[0] as RunEntry;
  const stated = runs.find((run) => run.folds !== null)?.folds;
  if (stated != null) return [...stated];
  const alike = all.filter(
    (one) =>
      one.identity.dataset === first.identity.dataset &&
      one.identity.task === first.identity.task &&
      protocolText(one) === protocolText(first),
  );
  return [...new Set(alike.map((one) => one.identity.fold))].sort();
}

function protocolText({ protocol }: RunEntry): string {
  if (protocol === null) return '';
  const { name, where, dev } = protocol;
  return `${name}${dev === null ? '' : `, dev ${dev}`}${where === null ? '' : ` where ${where}`}`;
}

/**
 * What must not be averaged although its settings are equal: a fold's name does not say which utterances it holds,
 * so seeds may have seen other cuts of one name (a filter, a corrected label), and two runs may claim one cell.
 */
function mixtures(runs: readonly RunEntry[]): string[] {
  const byFold = new Map<string, RunEntry[]>();
  for (const run of runs) {
    const list = byFold.get(run.identity.fold) ?? [];
    byFold.set(run.identity.fold, [...list, run]);
  }
  return [...byFold].flatMap(([fold, list]) => {
    // permuted labels differ by seed, and are part of the digest
    const permuted = list[0]?.identity.config['labels.permute'] === true;
    const cuts = new Set(list.map((run) => run.identity.utterances));
    const seeds = list.map((run) => run.identity.seed);
    const twice = [...new Set(seeds.filter((seed, i) => seeds.indexOf(seed) !== i))];
    const named = (some: readonly RunEntry[]): string =>
      some.map((run) => `${run.id} (seed ${run.identity.seed})`).join(', ');
    if (cuts.size > 1 && (!permuted || twice.length > 0))
      return [
        `fold ${fold}: its runs saw ${cuts.size} different sets of utterances or labels: ${named(list)}`,
      ];
    if (twice.length > 0)
      return [
        `fold ${fold}: several runs of one seed: ${named(list.filter((run) => twice.includes(run.identity.seed)))}`,
      ];
    return [];
  });
}

function sharedOf(entry: RunEntry): Shared {
  const { identity } = entry;
  const shared = new Map<string, string>([
    ['dataset', identity.dataset],
    ['task', identity.task],
    ['head', identity.head],
  ]);
  for (const [key, value] of Object.entries(identity.config)) shared.set(key, String(value));
  for (const [input, { feature, fingerprint, rows }] of Object.entries(identity.features)) {
    shared.set(input, `${feature}@${fingerprint}`);
    // rows that were extracted anew
    shared.set(`${input} rows`, rows);
  }
  shared.set('protocol', protocolText(entry));
  shared.set('engine', identity.engine);
  shared.set('device', identity.device);
  shared.set('numerics', String(identity.numerics));
  shared.set('classes', identity.classes.join(','));
  return shared;
}

/** Shortest names that are unique within dataset and task: the variant's, with what differs where it must. */
function labelGroups(groups: readonly { readonly shared: Shared; readonly run: RunEntry }[]): string[] {
  const place = ({ run }: (typeof groups)[number]): string =>
    JSON.stringify([run.identity.dataset, run.identity.task, run.variant]);
  const labels = groups.map((group) => {
    const { variant } = group.run;
    const others = groups.filter((other) => other !== group && place(other) === place(group));
    if (others.length === 0) return variant;
    const differs = [...group.shared].filter(([key, value]) =>
      others.some(({ shared }) => (shared.get(key) ?? '') !== value),
    );
    const told = differs.map(([key, value]) => `${key}=${brief(value)}`);
    return `${variant} (${told.join(', ')})`;
  });
  // what differs may be cut short alike, or be absent on one side
  const seen = new Map<string, number>();
  return labels.map((label, i) => {
    const name = JSON.stringify([place(groups[i] as (typeof groups)[number]), label]);
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? label : `${label} #${count}`;
  });
}

/** Digests are cut to 8 digits. */
const brief = (value: string): string => value.replaceAll(/\b([0-9a-f]{8})[0-9a-f]{24,}\b/g, '$1');

/**
 * A group seen on some folds only. @throws UserError that lists the folds where one is unknown
 */
export function withFolds(group: RunGroup, folds: readonly string[]): RunGroup {
  const unknown = folds.filter((fold) => !group.folds.includes(fold));
  if (unknown.length > 0)
    throw new UserError(
      `${group.label} has no fold ${unknown.join(', ')}: there are ${group.folds.join(', ')}`,
    );
  const runs = group.runs.filter((run) => folds.includes(run.identity.fold));
  const outdated = group.outdated?.filter((id) => runs.some((run) => run.id === id));
  return {
    ...group,
    ...(outdated === undefined ? {} : { outdated }),
    folds: group.folds.filter((fold) => folds.includes(fold)),
    runs,
    seeds: group.seeds.filter((seed) => runs.some((run) => run.identity.seed === seed)),
    missing: group.missing.filter(({ fold }) => folds.includes(fold)),
    unfinished: group.unfinished.filter((run) => folds.includes(run.identity.fold)),
    mixed: mixtures(runs),
  };
}
