import type { FeatureDims, Head, HeadConfig, HostBatch } from '../head/contract.ts';

/** An input of the head with its values in the batch. */
export interface BatchInput {
  readonly name: string;
  readonly shape: readonly number[];
  /** The values are float16 bits. */
  readonly half: boolean;
  readonly data: Float32Array | Uint16Array;
}

/**
 * The inputs that a head lists for a batch, as the batch holds them.
 * @throws when one is missing, has another number of values, or is float16 and no feature
 */
export function batchInputs(
  head: Head,
  config: HeadConfig,
  dims: FeatureDims,
  classes: number,
  batch: HostBatch,
): BatchInput[] {
  return head.inputs(config, dims, classes, batch.shape).map(({ name, shape, dtype }) => {
    const data = batch.feeds[name];
    if (data === undefined) throw new Error(`the batch has no ${name}, which head ${head.name} needs`);
    const count = shape.reduce((a, b) => a * b, 1);
    if (data.length !== count) {
      throw new Error(
        `input ${name} of the batch has ${data.length} values, [${shape.join(',')}] needs ${count}`,
      );
    }
    const half = data instanceof Uint16Array;
    if (half && dtype !== 'feature') throw new Error(`input ${name} must be float32`);
    return { name, shape, half, data };
  });
}
