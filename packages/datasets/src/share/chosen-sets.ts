import { UserError } from '../base/errors.ts';
import { type FeatureSetName, FINGERPRINT_PATTERN } from '../store/layout.ts';
import { setTitle } from '../store/set-location.ts';

/** Which part of a dataset is shared; all of it where nothing is said. */
export interface ShareChoice {
  /** `name`, or `name@<first digits of the fingerprint>`. */
  readonly feature?: string | undefined;
  /** First digits of the fingerprint. */
  readonly fingerprint?: string | undefined;
  readonly splits?: readonly string[] | undefined;
}

/** The sets that are meant. Pure. @throws UserError that lists what there is. */
export function chooseSets<T extends FeatureSetName>(
  sets: readonly T[],
  { feature, fingerprint }: ShareChoice,
  where: string,
): T[] {
  const [name, prefix = ''] = (feature ?? '').split('@', 2);
  for (const digits of [prefix, fingerprint ?? ''])
    if (!/^[0-9a-f]{0,64}$/.test(digits))
      throw new UserError(`"${digits}" is no beginning of a fingerprint: expected lower-case hex digits`);
  const chosen = sets.filter(
    (set) =>
      FINGERPRINT_PATTERN.test(set.fingerprint) &&
      (feature === undefined || set.feature === name) &&
      set.fingerprint.startsWith(prefix) &&
      set.fingerprint.startsWith(fingerprint ?? ''),
  );
  if (chosen.length > 0 || (feature === undefined && fingerprint === undefined)) return chosen;
  const asked = `${feature ?? 'feature'}${fingerprint === undefined ? '' : ` with fingerprint ${fingerprint}`}`;
  const there = sets.map(setTitle).join(', ') || 'no features at all';
  throw new UserError(`there is no ${asked} in ${where}: it has ${there}`);
}
