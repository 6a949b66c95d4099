import { UserError, UserErrors, nearest } from '@lsgmer/datasets';
import { ABLATIONS } from '../head/ablations.ts';
import type { RunGroup } from './run-group.ts';

/**
 * Groups that a text names: a label (`no-ma`, `full (lr=0.001)`), the first digits of a group's key or of a run's id
 * (four or more), or conditions that all must hold, `modality=text,lr=0.001`, on keys of the configuration, `head`,
 * `variant`, `seed`, `fold`, `status` (finished, unfinished, stale, mixed) and the inputs' features. Conditions may name
 * several groups, every other text names one.
 * @throws UserError that lists what there is
 */
export function selectGroups(groups: readonly RunGroup[], text: string): RunGroup[] {
  const labelled = groups.filter((group) => group.label === text);
  if (labelled.length > 0) return labelled;
  const variants = groups.filter((group) => group.variant === text);
  if (variants.length === 1) return variants;
  if (variants.length > 1)
    throw new UserError(`'${text}' is the variant of several rows: name one of ${labels(variants)}`);
  if (/^[0-9a-f]{4,12}$/.test(text)) {
    const keyed = groups.filter(
      (group) => group.key.startsWith(text) || group.runs.some((run) => run.id.startsWith(text)),
    );
    if (keyed.length === 1) return keyed;
    if (keyed.length > 1) throw new UserError(`'${text}' begins the id of several rows: ${labels(keyed)}`);
  }
  if (text.includes('=')) {
    const conditions = parseConditions(groups, text);
    const found = groups.filter((group) => conditions.every((holds) => holds(group)));
    if (found.length > 0) return found;
    throw new UserError(`no row has ${text}: there are ${labels(groups)}`);
  }
  const near = nearest(
    text,
    groups.map((group) => group.label),
  );
  const hint = near === undefined ? '' : `; the nearest is ${near}`;
  const ablation = Object.hasOwn(ABLATIONS, text)
    ? '; it is trained with train --ablation, a plain train makes the row lsgmer'
    : '';
  throw new UserError(`no row '${text}'${hint}${ablation}: there are ${labels(groups)}`);
}

const labels = (groups: readonly RunGroup[]): string =>
  groups.length === 0
    ? 'none'
    : groups.map((group) => `'${group.label}' (${group.key.slice(0, 6)})`).join(', ');

type Condition = (group: RunGroup) => boolean;

function parseConditions(groups: readonly RunGroup[], text: string): Condition[] {
  const problems: string[] = [];
  const known = new Set(groups.flatMap((group) => [...valuesOf(group).keys()]));
  const conditions = text.split(',').map((part): Condition => {
    const at = part.indexOf('=');
    const [key, value] = [part.slice(0, Math.max(0, at)).trim(), part.slice(at + 1).trim()];
    if (at <= 0) problems.push(`'${part}': expected key=value`);
    else if (!known.has(key))
      problems.push(`no run has a key '${key}', the nearest is ${nearest(key, [...known]) ?? '(none)'}`);
    return (group) => valuesOf(group).get(key)?.has(value) === true;
  });
  if (problems.length > 0) throw new UserErrors(problems);
  return conditions;
}

const isStale = (group: RunGroup): boolean => group.stale || (group.outdated ?? []).length > 0;

/** Everything that a condition can ask of a group; what its runs differ in has several values. */
export function valuesOf(group: RunGroup): Map<string, Set<string>> {
  const values = new Map<string, Set<string>>([
    ['variant', new Set([group.variant])],
    ['label', new Set([group.label])],
    ['head', new Set([group.head])],
    ['dataset', new Set([group.dataset])],
    ['task', new Set([group.task])],
    ['engine', new Set([group.engine])],
    ['device', new Set([group.device])],
    ['numerics', new Set([String(group.numerics)])],
    ['protocol', new Set([group.protocol?.name ?? ''])],
    ['seed', new Set(group.seeds.map(String))],
    ['fold', new Set(group.runs.map((run) => run.identity.fold))],
    [
      'status',
      new Set([
        ...group.runs.map((run) => run.status as string),
        ...(isStale(group) ? ['stale'] : []),
        ...(group.mixed.length > 0 ? ['mixed'] : []),
      ]),
    ],
  ]);
  for (const [input, { feature }] of Object.entries(group.features)) values.set(input, new Set([feature]));
  for (const [key, value] of Object.entries(group.config)) values.set(key, new Set([String(value)]));
  return values;
}
