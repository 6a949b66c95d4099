import { Rng, UserErrors, nearest } from '@lsgmer/datasets';
import type { Head, HeadConfig, OptionSpec, OptionValue } from '../head/contract.ts';
import { optionSpecs } from './configuration.ts';
import { problemOf, readValue } from './option.ts';

/** One dimension of a sweep: a list of values, or a range to draw from. */
export type Axis = { readonly key: string } & (
  | { readonly values: readonly OptionValue[] }
  | { readonly range: 'uniform' | 'log' | 'int'; readonly from: number; readonly to: number }
);

const FORMS = 'key=a,b,c, or for --random also key=uniform:0:0.5, key=log:1e-5:1e-3, key=int:16:64';
/** Draws that may repeat an earlier one before the ranges count as used up. */
const MOST_REPEATS = 1000;

/**
 * Reads `--grid` texts, typed by the options.
 * @throws UserErrors with all unknown keys and bad values at once
 */
export function readGrid(head: Head, texts: readonly string[]): Axis[] {
  const byKey = new Map(optionSpecs(head).map((spec) => [spec.key, spec]));
  const problems: string[] = [];
  const axes = texts.flatMap((text): Axis[] => {
    const at = text.indexOf('=');
    const key = text.slice(0, Math.max(at, 0));
    const spec = byKey.get(key);
    if (at <= 0 || text.length === at + 1) {
      problems.push(`--grid ${text}: expected ${FORMS}`);
      return [];
    }
    if (spec === undefined) {
      problems.push(`--grid ${text}: unknown key ${key}, the nearest is ${nearest(key, [...byKey.keys()])}`);
      return [];
    }
    const axis = readAxis(spec, text.slice(at + 1));
    const values = 'values' in axis ? axis.values : [axis.from, axis.to];
    const wrong = values.flatMap((value) => problemOf(spec, value) ?? []);
    if ('range' in axis && !(axis.from < axis.to && (axis.range !== 'log' || axis.from > 0)))
      wrong.push(`${key}: a range needs two rising numbers${axis.range === 'log' ? ' above 0' : ''}`);
    problems.push(...wrong.map((one) => `--grid ${one}`));
    return [axis];
  });
  const keys = axes.map(({ key }) => key);
  for (const key of new Set(keys.filter((key, i) => keys.indexOf(key) !== i)))
    problems.push(`--grid ${key}: given twice`);
  if (problems.length > 0) throw new UserErrors(problems);
  return axes;
}

function readAxis(spec: OptionSpec, text: string): Axis {
  const [range, from, to, ...more] = text.split(':');
  if ((range === 'uniform' || range === 'log' || range === 'int') && to !== undefined && more.length === 0)
    return { key: spec.key, range, from: Number(from), to: Number(to) };
  return { key: spec.key, values: text.split(',').map((value) => readValue(spec, value.trim())) };
}

/** Every combination, the last axis changing fastest. @throws UserErrors for a range: it has no end */
export function gridSettings(axes: readonly Axis[]): HeadConfig[] {
  const ranges = axes.filter((axis) => 'range' in axis).map(({ key }) => key);
  if (ranges.length > 0)
    throw new UserErrors([`--grid ${ranges.join(', ')}: a range needs --random n, how many draws`]);
  return axes.reduce<HeadConfig[]>(
    (sofar, axis) =>
      sofar.flatMap((one) =>
        ('values' in axis ? axis.values : []).map((value) => ({ ...one, [axis.key]: value })),
      ),
    [{}],
  );
}

/**
 * `count` different combinations drawn from lists and ranges. The same axes, count and seed give the same ones; more
 * of them begin with fewer of them. Numbers of ranges have 3 significant digits.
 * @throws UserErrors where there are not so many
 */
export function randomSettings(axes: readonly Axis[], count: number, seed: number): HeadConfig[] {
  const rng = Rng.for('random search', seed, JSON.stringify(axes));
  const found = new Map<string, HeadConfig>();
  let repeats = 0;
  while (found.size < count) {
    const settings = Object.fromEntries(axes.map((axis) => [axis.key, draw(axis, rng)]));
    const key = JSON.stringify(settings);
    if (found.has(key) && ++repeats > MOST_REPEATS)
      throw new UserErrors([`--random ${count}: there are ${found.size} combinations only`]);
    found.set(key, settings);
  }
  return [...found.values()];
}

function draw(axis: Axis, rng: Rng): OptionValue {
  if ('values' in axis) return rng.pick(axis.values);
  const { range, from, to } = axis;
  if (range === 'int') return from + rng.int(to - from + 1);
  const u = rng.uniform();
  const value = range === 'log' ? from * (to / from) ** u : from + u * (to - from);
  return Math.min(Math.max(Number(value.toPrecision(3)), from), to);
}
