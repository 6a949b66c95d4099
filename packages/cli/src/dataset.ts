import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Card,
  checkName,
  deriveTableCard,
  digestJson,
  type Json,
  listDatasets,
  listFeatures,
  loadCard,
  locateSets,
  readManifest,
  readManifestInfo,
  stoppedPull,
  UserError,
} from '@lsgmer/datasets';
import type { Context } from './context.ts';
import { rememberLocally } from './settings.ts';

/** Cards that come with lsgmer. */
const CARDS = join(dirname(fileURLToPath(import.meta.url)), '../../../manifests');

/** Names of the committed cards. */
export function knownCards(): string[] {
  return readdirSync(CARDS)
    .filter((file) => /^[A-Za-z0-9_-].*\.json$/.test(file))
    .map((file) => file.replace(/\.json$/, ''))
    .sort();
}

/** For `--card`: as if the dataset had never been built. */
const ANEW = 'auto';

/**
 * The card of a dataset: the given file, else the committed one, else the one that its stored manifest was given; null where
 * there is none (a table corpus derives its own).
 */
export function cardOf(context: Context, dataset: string, file?: string): Card | null {
  if (file !== undefined && file !== ANEW) return loadCard(file);
  const committed = join(CARDS, `${dataset}.json`);
  const stored =
    file === ANEW || !datasetsIn(context.stores).includes(dataset) ? undefined : storedCard(context, dataset);
  if (existsSync(committed)) {
    const card = loadCard(committed);
    if (stored !== undefined && !sameTasks(stored, card))
      context.reporter.warn(
        `${dataset} was built with a card of other tasks or classes (${tasksOf(stored)}); this is the one that comes with lsgmer (${tasksOf(card)}): ` +
          'name yours with --card where that is meant',
      );
    return card;
  }
  if (stored === undefined || isDerived(context, dataset, stored)) return null;
  context.reporter.info(
    `card: the one that ${dataset} was built with (${tasksOf(stored)}); --card FILE takes another, --card ${ANEW} derives one`,
  );
  return stored;
}

const sameTasks = (a: Card, b: Card): boolean =>
  digestJson(a.tasks as unknown as Json) === digestJson(b.tasks as unknown as Json);

const tasksOf = (card: Card): string => card.tasks.map(({ name }) => name).join(', ');

function storedCard(context: Context, dataset: string): Card | undefined {
  try {
    return readManifestInfo(context.stores, dataset).card.content;
  } catch (error) {
    // Damaged: building makes it anew, from what the command says.
    if (!(error instanceof UserError)) throw error;
    context.reporter.warn(error.message);
    return undefined;
  }
}

/** Whether a card is what the stored rows alone lead to. Where they cannot be read, it is taken for one that was given. */
function isDerived(context: Context, dataset: string, card: Card): boolean {
  try {
    const derived = deriveTableCard(dataset, readManifest(context.stores, dataset).utterances);
    return digestJson(derived as unknown as Json) === digestJson(card as unknown as Json);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return false;
  }
}

/** Datasets with a manifest in any of the stores. */
export function datasetsIn(stores: readonly string[]): string[] {
  const names = stores.flatMap((store) => {
    if (!existsSync(store)) return [];
    return readdirSync(store).filter((name) => existsSync(join(store, name, 'manifest.json')));
  });
  return [...new Set(names)].sort();
}

/** Datasets with features in any of the stores. */
function datasetsOfFeatures(stores: readonly string[]): string[] {
  return listDatasets(stores).filter((dataset) => listFeatures(stores, dataset).length > 0);
}

/**
 * The dataset that a command is about: the given one, the only one in the store, or the last one used; the
 * choice is said where it was not given, and remembered.
 * @throws UserError that lists the choices.
 */
export function chooseDataset(context: Context, given: string | undefined): string {
  const complete = datasetsIn(context.stores);
  // features come before their manifest
  const stored = complete.length > 0 ? complete : datasetsOfFeatures(context.stores);
  const { lastDataset } = context.local;
  const only = stored.length === 1 ? stored[0] : undefined;
  const last = lastDataset !== undefined && stored.includes(lastDataset) ? lastDataset : undefined;
  const chosen = given ?? only ?? last;
  if (chosen === undefined) {
    if (stored.length === 0)
      throw new UserError(
        `there is no dataset in ${context.stores.join(' or ')}: name one with --dataset (make: DATASET=...), of the ` +
          `known cards ${knownCards().join(', ')} or your own, and build its manifest first`,
      );
    throw new UserError(`which dataset? Name it with --dataset (make: DATASET=...): ${stored.join(', ')}`);
  }
  if (given === undefined)
    context.reporter.info(
      `dataset ${chosen} (${only === undefined ? 'the last one used' : 'the only one in the store'})`,
    );
  if (stored.includes(chosen)) rememberLocally(context.folder, { lastDataset: chosen });
  return checkName('dataset', chosen);
}

/** A dataset that must have a manifest. @throws UserError that names the datasets that have one. */
export function requireStored(context: Context, dataset: string): void {
  const stored = datasetsIn(context.stores);
  if (stored.includes(dataset)) return;
  const remote = locateSets([...context.stores], dataset)
    .map(({ folder }) => stoppedPull(folder))
    .find((one) => one !== null);
  if (remote !== undefined)
    throw new UserError(
      `${dataset} is not whole in ${context.stores.join(', ')}: a pull from ${remote} was stopped before its manifest came: run it again`,
    );
  const there = stored.length > 0 ? `; the store has ${stored.join(', ')}` : '';
  throw new UserError(
    `no manifest of dataset '${dataset}' in ${context.stores.join(', ')}${there}: build it with make manifest DATASET=${dataset} ROOT=<folder of the corpus>`,
  );
}

/**
 * The corpus root: the given one (remembered), else the one given last time.
 * @throws UserError where neither is known.
 */
export function chooseRoot(context: Context, dataset: string, given: string | undefined): string {
  const known = givenRoot(context, dataset, given);
  if (known !== undefined) return known;
  throw new UserError(
    `where is ${dataset}? Give its folder once with --root <folder> (make: ROOT=<folder>); it is remembered in .lsgmer.json`,
  );
}

/** As chooseRoot, where a command can do without. */
export function givenRoot(context: Context, dataset: string, given: string | undefined): string | undefined {
  if (given === undefined) return context.local.roots[dataset];
  return resolve(context.folder, given);
}

/** To be called once the root has shown to be one. */
export function rememberRoot(context: Context, dataset: string, root: string): void {
  rememberLocally(context.folder, { root: { dataset, path: root } });
}
