import { withoutEnding } from './table-cells.ts';

/** Which utterance a name means, or why none. */
export type Match = { readonly id: string } | { readonly problem: string };

/** Ids that are shown where a name fits several. */
const SHOWN = 4;

/**
 * Finds utterances by names that others gave to their features. An id is a path (`meld/train/dia0_utt0`), and so is a
 * name (`features/train/dia0_utt0`): the one utterance that shares most last parts with it is meant. A name that
 * contradicts the id in the part before those (`dev/dia0_utt0` for a train utterance) is not taken.
 */
export class IdMatcher {
  /** Ids by their last parts, joined by `/`. */
  readonly #bySuffix = new Map<string, string[]>();
  /** Parts that stand before each suffix length in some id: `train`, `dev`, `test` before one part. */
  readonly #partsBefore = new Map<number, Set<string>>();

  /**
   * @param ids that may be meant.
   * @param all of the corpus: a name that begins as another one of them does is not taken.
   */
  constructor(ids: Iterable<string>, all: Iterable<string> = ids) {
    for (const id of ids) {
      const path = id.split('/');
      for (let k = 1; k <= path.length; k++) {
        const suffix = path.slice(-k).join('/');
        const list = this.#bySuffix.get(suffix);
        if (list) list.push(id);
        else this.#bySuffix.set(suffix, [id]);
      }
    }
    for (const id of all) {
      const path = id.split('/');
      for (let k = 1; k < path.length; k++) {
        const known = this.#partsBefore.get(k) ?? new Set();
        known.add(path.at(-k - 1) as string);
        this.#partsBefore.set(k, known);
      }
    }
  }

  /** @param names of one array, the likeliest first: the first that means an utterance counts. */
  match(names: readonly string[]): Match {
    let problem: string | null = null;
    for (const name of names) {
      const found = this.#matchOne(name);
      if ('id' in found) return found;
      problem ??= found.problem;
    }
    return { problem: problem ?? 'it has no name' };
  }

  #matchOne(name: string): Match {
    const whole = parts(name);
    const bare = parts(withoutEnding(name));
    const found = this.#longest(bare);
    if (found !== null) return found;
    return this.#longest(whole) ?? { problem: `no utterance is called ${whole.at(-1)}` };
  }

  /** null where not even the last part is known. */
  #longest(path: readonly string[]): Match | null {
    for (let k = path.length; k >= 1; k--) {
      const ids = this.#bySuffix.get(path.slice(-k).join('/'));
      if (ids === undefined) continue;
      if (ids.length > 1) {
        const more = ids.length > SHOWN ? `, ... (${ids.length})` : '';
        return {
          problem: `${path.slice(-k).join('/')} may be ${ids.slice(0, SHOWN).join(', ')}${more}: put the part that tells them apart into the name, or choose a split with --split`,
        };
      }
      const id = ids[0] as string;
      const before = path.at(-k - 1);
      const own = id.split('/').at(-k - 1);
      if (before !== undefined && before !== own && this.#partsBefore.get(k)?.has(before))
        return { problem: `there is no ${path.slice(-k - 1).join('/')}, only ${id}` };
      return { id };
    }
    return null;
  }
}

/** Parts of a path as anybody writes it. */
function parts(name: string): string[] {
  return name
    .replaceAll('\\', '/')
    .split('/')
    .filter((part) => part !== '' && part !== '.');
}
