import { decodeHalf, UserError } from '@lsgmer/datasets';
import type { HostBatch } from '../head/contract.ts';

/** A training left the finite numbers on ordinary features: its settings' fault. */
export class Diverged extends UserError {}

/** Ids that an error lists. */
const LISTED = 8;
/** Larger feature values may be what is wrong. */
const HUGE = 1e4;

/**
 * The error for a batch whose loss or logits are not finite: which utterances, and the largest feature value,
 * which tells bad features (huge, NaN) from a diverged training (ordinary features).
 * @param what for instance `the loss`
 */
export function badBatch(what: string, batch: HostBatch, when?: string): UserError {
  const { value, input, id } = largestFeature(batch);
  const ids = batch.ids.slice(0, LISTED).join(', ');
  const more = batch.ids.length > LISTED ? ` and ${batch.ids.length - LISTED} more` : '';
  const Kind = value < HUGE ? Diverged : UserError;
  return new Kind(
    `${what} is not finite${when === undefined ? '' : ` ${when}`}; largest feature value |x| = ${value} in ${input} of ${id}; ` +
      `batch: ${ids}${more}; verify the features where that is huge or NaN, else lower lr`,
  );
}

/** Largest absolute value among the features of a batch's real rows; NaN counts as larger than all. */
export function largestFeature(batch: HostBatch): { value: number; input: string; id: string } {
  let best = { value: 0, input: '(none)', id: '(none)' };
  for (const input of ['text', 'audio', 'map']) {
    const feed = batch.feeds[input];
    if (feed === undefined) continue;
    const width = feed.length / batch.shape.rows;
    const values = new Float32Array(width);
    for (const [r, id] of batch.ids.entries()) {
      const row = feed.subarray(r * width, (r + 1) * width);
      if (row instanceof Uint16Array) decodeHalf(row, values);
      else values.set(row);
      for (const x of values) {
        if (Number.isNaN(x)) return { value: NaN, input, id };
        if (Math.abs(x) > best.value) best = { value: Math.abs(x), input, id };
      }
    }
  }
  return best;
}

/** @throws UserError where a parameter is NaN or infinite, before such a state is saved */
export function requireFinite(parameters: Float32Array, when: string): void {
  const at = parameters.findIndex((x) => !Number.isFinite(x));
  if (at === -1) return;
  throw new Diverged(
    `a parameter is ${parameters[at]} ${when}: the training diverged; lower lr, or verify the features`,
  );
}
