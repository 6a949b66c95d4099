import { UserError } from '@lsgmer/datasets';
import type { ParameterSpec } from '../head/contract.ts';

/** Where a parameter lies in the flat vector. */
export interface ParameterView {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly length: number;
}

/**
 * The layout of the flat vector: all parameters, one after the other, in the order of the specifications.
 * @throws UserError for a name that a head gives twice
 */
export function parameterViews(specs: readonly ParameterSpec[]): ParameterView[] {
  let offset = 0;
  const names = new Set<string>();
  return specs.map(({ name, shape }) => {
    if (names.has(name)) throw new UserError(`parameter ${name} is listed twice`);
    names.add(name);
    const view = { name, shape, offset, length: shape.reduce((a, b) => a * b, 1) };
    offset += view.length;
    return view;
  });
}

/** Values in all parameters together. */
export function parameterCount(views: readonly ParameterView[]): number {
  const last = views.at(-1);
  return last === undefined ? 0 : last.offset + last.length;
}
