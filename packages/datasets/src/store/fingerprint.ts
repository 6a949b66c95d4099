import { canonicalJson, digestJson, type Json } from '../base/canonical-json.ts';

/**
 * What was computed, as it is hashed: encoder and weights digest, tokenizer digest, layer, special tokens,
 * truncation, waveform normalisation, channel and length policy, compute dtype, stored dtype, and a version
 * that is raised by hand when the computation changes. Keys that an encoder has no use for are left out.
 */
export type Computation = { readonly [key: string]: Json };

/** Lower-case hex sha256 of the RFC 8785 JSON of a computation. */
export function fingerprintOf(computation: Computation): string {
  return digestJson(computation);
}

/** One key on which two descriptions differ; a missing key is undefined. Keys of nested records are joined by dots. */
export interface Difference {
  readonly key: string;
  readonly old: Json | undefined;
  readonly new: Json | undefined;
}

/** Keys on which two computations differ, sorted. Nested records are compared key by key, lists as a whole. */
export function diffComputation(old: Computation, now: Computation): Difference[] {
  const differences: Difference[] = [];
  for (const key of [...new Set([...Object.keys(old), ...Object.keys(now)])].sort()) {
    const a = old[key];
    const b = now[key];
    if (isRecord(a) && isRecord(b)) {
      for (const inner of diffComputation(a, b)) differences.push({ ...inner, key: `${key}.${inner.key}` });
    } else if (textOf(a) !== textOf(b)) {
      differences.push({ key, old: a, new: b });
    }
  }
  return differences;
}

/** `layer: 12 -> 24; tokenizer: absent -> "9f2c..."`, for an error message. */
export function describeDifferences(differences: readonly Difference[]): string {
  if (differences.length === 0) return 'no differing key';
  return differences.map(({ key, old, new: now }) => `${key}: ${textOf(old)} -> ${textOf(now)}`).join('; ');
}

function textOf(value: Json | undefined): string {
  return value === undefined ? 'absent' : canonicalJson(value);
}

function isRecord(value: Json | undefined): value is Computation {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
