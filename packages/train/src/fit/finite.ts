import { UserError } from '@lsgmer/datasets';
import type { HostBatch } from '../head/contract.ts';

/** Ids that an error lists. */
const LISTED = 8;

/**
 * The error for a batch whose loss or logits are not finite: which utterances, and the largest feature value,
 * which tells bad features (huge, NaN) from a diverged training (ordinary features).
 * @param what for instance `the loss`
 */
export function badBatch(what: string, batch: HostBatch, when?: string): UserError {
  const { value, input, id } = largestFeature(batch);
  const ids = batch.ids.slice(0, LISTED).join(', ');
  const more = batch.ids.length > LISTED ? ` and ${batch.ids.length - LISTED} more` : '';
  return new UserError(
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
    for (const [r, id] of batch.ids.entries()) {
      for (let i = r * width; i < (r + 1) * width; i++) {
        const raw = feed[i] as number;
        const value = Math.abs(feed instanceof Uint16Array ? halfValue(raw) : raw);
        if (Number.isNaN(value)) return { value, input, id };
        if (value > best.value) best = { value, input, id };
      }
    }
  }
  return best;
}

/** Value of the 16 bits of a float16 (IEEE 754 binary16). */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** @throws UserError where a parameter is NaN or infinite, before such a state is saved */
export function requireFinite(parameters: Float32Array, when: string): void {
  const at = parameters.findIndex((x) => !Number.isFinite(x));
  if (at === -1) return;
  throw new UserError(
    `a parameter is ${parameters[at]} ${when}: the training diverged; lower lr, or verify the features`,
  );
}
