import { decodeHalf, UserError } from '@lsgmer/datasets';
import type { FeatureSource } from '../batches/source.ts';
import type { Matrix } from './standardise.ts';

/**
 * Mean over time of each utterance's feature, several features side by side.
 * @param ids utterances that have a row of one step or more in every source
 * @returns [ids, sum of the sources' dims]
 * @throws UserError for a mean that is not finite
 */
export async function poolFeatures(
  sources: readonly FeatureSource[],
  ids: readonly string[],
  onRow: (done: number) => void = () => {},
): Promise<Matrix> {
  const dim = sources.reduce((sum, source) => sum + source.dim, 0);
  const values = new Float64Array(ids.length * dim);
  let floats = new Float32Array(0);
  let halves = new Uint16Array(0);
  for (const [i, id] of ids.entries()) {
    let at = i * dim;
    for (const source of sources) {
      const size = (source.length(id) ?? 0) * source.dim;
      if (floats.length < size) {
        floats = new Float32Array(size);
        halves = new Uint16Array(size);
      }
      if (source.dtype === 'float16') {
        await source.readInto(id, halves, 0);
        decodeHalf(halves.subarray(0, size), floats);
      } else {
        await source.readInto(id, floats, 0);
      }
      const mean = values.subarray(at, at + source.dim);
      meanOverSteps(floats, size, mean);
      const bad = mean.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0)
        throw new UserError(
          `${source.feature}: the mean of ${id} is not finite (dimension ${bad}): lsgmer features verify, then extract it again`,
        );
      at += source.dim;
    }
    onRow(i + 1);
  }
  return { rows: ids.length, dim, values };
}

function meanOverSteps(values: Float32Array, size: number, mean: Float64Array): void {
  const { length } = mean;
  for (let i = 0; i < size; i += length)
    for (let j = 0; j < length; j++) mean[j] = (mean[j] as number) + (values[i + j] as number);
  const steps = size / length;
  for (let j = 0; j < length; j++) mean[j] = (mean[j] as number) / steps;
}
