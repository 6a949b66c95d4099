import type { EncodedText } from '../tokenizer/text-tokenizer.ts';
import type { EncodedSteps } from './form.ts';

/** How the steps of an utterance become one step: not at all, their mean, or their mean and standard deviation. */
export const POOLS = ['none', 'mean', 'mean-std'] as const;
export type Pool = (typeof POOLS)[number];

/** What is done to one utterance's steps after the encoder, in this order. */
export interface Finish {
  /** Steps of special tokens that are left out at the beginning and at the end. */
  readonly drop: { readonly before: number; readonly after: number };
  /** So many neighbouring steps are averaged to one; the last group may be smaller. */
  readonly stride: number;
  readonly pool: Pool;
}

/** Values per step afterwards. */
export function finishedDim(dim: number, { pool }: Finish): number {
  return pool === 'mean-std' ? 2 * dim : dim;
}

/** Centre of step 0 and distance between steps afterwards, in seconds; a pooled utterance has no time. */
export function finishedTimes(
  {
    firstSeconds,
    stepSeconds,
  }: { readonly firstSeconds: number | null; readonly stepSeconds: number | null },
  { stride, pool }: Finish,
): { readonly firstSeconds: number | null; readonly stepSeconds: number | null } {
  if (firstSeconds === null || stepSeconds === null || pool !== 'none')
    return { firstSeconds: null, stepSeconds: null };
  return { firstSeconds: firstSeconds + ((stride - 1) / 2) * stepSeconds, stepSeconds: stride * stepSeconds };
}

/**
 * Applies a finish to a whole utterance (a clip that was encoded in pieces is put together first).
 * @param dim values per step before
 */
export function finishSteps(steps: EncodedSteps, dim: number, finish: Finish): EncodedSteps {
  const { drop, stride, pool } = finish;
  const kept = Math.max(0, steps.n - drop.before - drop.after);
  let out: EncodedSteps = steps;
  if (kept < steps.n) {
    const from = drop.before * dim;
    out = { n: kept, values: steps.values.slice(from, from + kept * dim) };
  }
  if (stride > 1) out = averaged(out, dim, stride);
  if (pool === 'none' || out.n === 0) return out;
  return pooled(out, dim, pool);
}

/** The tokens that belong to the finished steps; a pooled text is one step that spans it all and is no token (-1). */
export function finishTokens(tokens: EncodedText, length: number, { drop, pool }: Finish): EncodedText {
  const end = Math.max(drop.before, tokens.ids.length - drop.after);
  const ids = tokens.ids.slice(drop.before, end);
  if (pool !== 'none' && ids.length > 0) return { ids: Int32Array.of(-1), spans: Int32Array.of(0, length) };
  return { ids, spans: tokens.spans.slice(2 * drop.before, 2 * end) };
}

function averaged({ n, values }: EncodedSteps, dim: number, stride: number): EncodedSteps {
  const groups = Math.ceil(n / stride);
  const out = new Float32Array(groups * dim);
  for (let group = 0; group < groups; group++) {
    const first = group * stride;
    const last = Math.min(first + stride, n);
    for (let i = 0; i < dim; i++) {
      let sum = 0;
      for (let step = first; step < last; step++) sum += values[step * dim + i] as number;
      out[group * dim + i] = sum / (last - first);
    }
  }
  return { n: groups, values: out };
}

/** The standard deviation is the population's: a single step has 0. */
function pooled({ n, values }: EncodedSteps, dim: number, pool: 'mean' | 'mean-std'): EncodedSteps {
  const out = new Float32Array(pool === 'mean' ? dim : 2 * dim);
  for (let i = 0; i < dim; i++) {
    let sum = 0;
    for (let step = 0; step < n; step++) sum += values[step * dim + i] as number;
    const mean = sum / n;
    out[i] = mean;
    if (pool === 'mean') continue;
    let squares = 0;
    for (let step = 0; step < n; step++) squares += ((values[step * dim + i] as number) - mean) ** 2;
    out[dim + i] = Math.sqrt(squares / n);
  }
  return { n: 1, values: out };
}
