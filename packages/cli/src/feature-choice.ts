import { findFeatureSets, listFeatures, UserError } from '@lsgmer/datasets';
import type { FeatureChoice } from '@lsgmer/train';
import type { Context } from './context.ts';

const ROLES = ['text', 'audio', 'alexnet'] as const;
type Role = (typeof ROLES)[number];

/**
 * Which feature feeds which input: those that are named (`text=..,audio=..,alexnet=..`), then the recipe's, then the
 * only one of each role in the store.
 * @throws UserError where none is there, or several are and none is named
 */
export function chooseFeatures(
  context: Context,
  dataset: string,
  named: string | undefined,
  recipe: FeatureChoice | undefined,
): FeatureChoice {
  const given = named === undefined ? {} : parseFeatures(named);
  if (recipe !== undefined) return { ...recipe, ...given };
  const found = listFeatures([...context.stores], dataset);
  if (found.length === 0) {
    throw new UserError(
      `${dataset} has no features in ${context.stores.join(', ')}: make features DATASET=${dataset} (FEATURES=tiny: random encoders, to try the pipeline)`,
    );
  }
  const choice: { [role in Role]?: string } = {};
  for (const name of found) {
    const role = roleOf(context, dataset, name, given);
    if (role === undefined || given[role] !== undefined) continue;
    if (choice[role] !== undefined) {
      throw new UserError(
        `${dataset} has both ${choice[role]} and ${name} for ${role}: choose one with --features ${role}=<feature>`,
      );
    }
    choice[role] = name;
  }
  const all = { ...choice, ...given };
  const list = ROLES.flatMap((role) => (all[role] === undefined ? [] : [`${role} ${all[role]}`]));
  context.reporter.info(`features: ${list.join(', ')} (what the store has; --features chooses)`);
  return all;
}

/**
 * What a feature is for, by its kind and name; undefined for a folder without a feature set.
 * @throws UserError for one that can't be read, unless text and audio are named: it could be the one that is meant
 */
function roleOf(context: Context, dataset: string, feature: string, given: FeatureChoice): Role | undefined {
  const named = given['text'] !== undefined && given['audio'] !== undefined;
  const warn = ({ message }: UserError): void => context.reporter.warn(message);
  const sets = findFeatureSets([...context.stores], dataset, feature, named ? warn : undefined);
  const kind = sets[0]?.spec.kind;
  if (kind === undefined) return undefined;
  if (kind === 'text') return 'text';
  return feature.includes('alexnet') ? 'alexnet' : 'audio';
}

/** @throws UserError that shows the form */
function parseFeatures(text: string): { [role in Role]?: string } {
  const choice: { [role in Role]?: string } = {};
  for (const pair of text.split(',')) {
    const [role, name] = pair.split('=', 2);
    if (!ROLES.includes(role as Role) || name === undefined || name === '')
      throw new UserError(
        `--features: '${pair}' is not one of text=<feature>, audio=<feature>, alexnet=<feature>`,
      );
    choice[role as Role] = name;
  }
  return choice;
}
