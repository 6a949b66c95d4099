import type { OptionSpec, OptionValue } from '../head/contract.ts';

/** What an option accepts, in words: `integer, 1 or more`, `one of mean, batch`. */
export function describeType(spec: OptionSpec): string {
  if (typeof spec.type !== 'string') return `one of ${spec.type.join(', ')}`;
  const { min, max } = spec;
  if (min !== undefined && max !== undefined) return `${spec.type}, ${min} to ${max}`;
  if (min !== undefined) return `${spec.type}, ${min} or more`;
  if (max !== undefined) return `${spec.type}, ${max} or less`;
  return spec.type;
}

/** What is wrong with a value for an option, as one line; undefined when nothing is. */
export function problemOf(spec: OptionSpec, value: OptionValue): string | undefined {
  const expected = (): string =>
    `${spec.key}: ${JSON.stringify(value)} is not valid, expected ${describeType(spec)}`;
  if (typeof spec.type !== 'string') {
    return typeof value === 'string' && spec.type.includes(value) ? undefined : expected();
  }
  if (spec.type === 'boolean') return typeof value === 'boolean' ? undefined : expected();
  if (typeof value !== 'number' || !Number.isFinite(value)) return expected();
  if (spec.type === 'integer' && !Number.isSafeInteger(value)) return expected();
  if (spec.min !== undefined && value < spec.min) return expected();
  if (spec.max !== undefined && value > spec.max) return expected();
  return undefined;
}

/**
 * Value of a command-line text by the option's type: `0.5` and `5e-4` become numbers, `true` and `false`
 * booleans. What cannot be read stays text, so that `problemOf` shows it as it was typed.
 */
export function readValue(spec: OptionSpec, text: string): OptionValue {
  if (typeof spec.type !== 'string') return text;
  if (spec.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
}
