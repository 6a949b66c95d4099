/** Sizes by name. */
export type Sizes = ReadonlyMap<string, number>;

/** A number times sizes, which may repeat. */
export interface Monomial {
  readonly factor: number;
  readonly sizes: readonly string[];
}

/** Most sizes that are multiplied. */
const MOST = 4;

/**
 * The product of sizes that is `left` for the first sizes and `right` for the second ones.
 * @returns undefined where there is none
 */
export function monomial(left: number, right: number, first: Sizes, second: Sizes): Monomial | undefined {
  const names = [...first.keys()];
  const search = (from: number, sizes: readonly string[], a: number, b: number): Monomial | undefined => {
    if (left % a === 0 && right === (left / a) * b) return { factor: left / a, sizes };
    if (sizes.length === MOST) return undefined;
    for (let i = from; i < names.length; i++) {
      const name = names[i] as string;
      const [own, other] = [a * (first.get(name) as number), b * (second.get(name) as number)];
      if (left % own !== 0 || right % other !== 0) continue;
      const found = search(i, [...sizes, name], own, other);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return search(0, [], 1, 1);
}
