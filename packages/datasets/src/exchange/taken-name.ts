import { UserError } from '../base/errors.ts';
import { type FeatureSpec, isImported } from '../store/feature-spec.ts';
import { diffComputation } from '../store/fingerprint.ts';
import { indexFolder } from '../store/layout.ts';
import { readPins } from '../store/pins.ts';
import { isSpareCopy, misplacedSet } from '../store/misplaced-set.ts';
import { locateSets, type SetLocation, setTitle } from '../store/set-location.ts';
import { findFeatureSets, MissingSpecError } from '../store/store-listing.ts';
import { moveToTrash, TRASH_DAYS } from '../store/trash.ts';
import { heldParts } from '../store/writer-lease.ts';

/** The name that an import is to have, and where names count. */
export interface WantedName {
  /** Written to first. */
  readonly stores: readonly [string, ...string[]];
  readonly dataset: string;
  readonly feature: string;
  readonly kind: FeatureSpec['kind'];
  /** Earlier imports of the name may go. */
  readonly replace: boolean;
}

/** An import that another one takes the place of. */
export interface ReplacedSet extends SetLocation {
  /** Runs that used it. */
  readonly runs: number;
}

/**
 * A name holds one set, so that whoever says the name means it: refuses one that holds an extraction, features of another
 * kind, or (once it is known what comes) another import.
 * @param spec of the import, as soon as it is known; the set of that fingerprint is gone on with.
 * @returns earlier imports whose place it takes.
 * @throws UserError that says which set has the name, and what to do.
 */
export function refuseTakenName(wanted: WantedName, spec: FeatureSpec | null): ReplacedSet[] {
  const { stores, dataset, feature, kind, replace } = wanted;
  const name = `${dataset}/${feature}`;
  // the set that is gone on with gets its feature.json from its writer
  const unlessOwn = (error: UserError): void => {
    const own =
      error instanceof MissingSpecError && (spec?.fingerprint ?? error.fingerprint) === error.fingerprint;
    if (!own && !isSpareCopy(error)) throw error;
  };
  for (const set of findFeatureSets(stores, dataset, feature, unlessOwn)) {
    if (set.fingerprint === spec?.fingerprint) continue;
    const title = setTitle(set);
    if (!isImported(set.spec))
      throw new UserError(
        `${name} holds ${set.spec.kind} features that were extracted (${title}), and a name holds one set: choose another --name`,
      );
    const other = set.spec.kind === kind ? null : `${set.spec.kind} features that were imported (${title})`;
    if (replace || (spec === null && other === null)) continue;
    const keys = spec && diffComputation(set.spec.computation, spec.computation).map(({ key }) => key);
    throw new UserError(
      `${name} holds ${other ?? `another import (${title}, other in ${keys?.join(', ')})`}, and a name holds one set: ` +
        `choose another --name, or put this one in its place with --replace (the former goes to the trash for ${TRASH_DAYS} days)`,
    );
  }
  if (spec === null) return [];
  const [store] = stores;
  const before = stores
    .flatMap((one) => locateSets([one], dataset).filter((set) => set.feature === feature))
    .filter((set) => set.fingerprint !== spec.fingerprint && misplacedSet(set) === null);
  const pins = before.length === 0 ? [] : readPins(stores, dataset);
  return before.map((set) => {
    if (set.store !== store)
      throw new UserError(
        `${name} holds another import in ${set.store}, and this one goes to ${store}: choose another --name`,
      );
    const [writer] = heldParts(indexFolder(set.folder)).values();
    if (writer !== undefined)
      throw new UserError(
        `${name} holds ${setTitle(set)}, which process ${writer.pid} on ${writer.host} is writing: wait for it, or choose another --name`,
      );
    const runs = pins.filter(({ fingerprints }) => fingerprints[feature] === set.fingerprint).length;
    return { ...set, runs };
  });
}

/** Takes the earlier imports away, once the one in their place is whole. */
export function trashReplaced(sets: readonly ReplacedSet[], now: Date): void {
  for (const { store, dataset, folder } of sets) moveToTrash(store, dataset, folder, now);
}
