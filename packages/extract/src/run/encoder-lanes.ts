import { readdirSync, statSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import type { Device } from '@lsgmer/onnx/runtime';
import { SAMPLE_RATE } from '../decode/policy.ts';
import type { EncodedSteps, EncoderInput } from '../features/form.ts';
import { isConverted } from '../models/compute-dtype.ts';
import type { ModelReference } from '../models/feature-options.ts';
import type { Encoder } from './encoder.ts';

/** More have never been measured. */
const MOST_LANES = 4;
/** Memory that a further lane takes beside its weights: activations of the longest recording that it is given. */
const WORKING_BYTES = 0.3e9;
/** What weights take when they are loaded, to the bytes of the checkpoint: in float32, and as integers with their packed copy. */
const LOADED = { fp32: 1, fp16: 1, int8: 0.45 };
/** Further lanes have at most that much together, and at most that part of the machine. */
const FURTHER = { bytes: 1.5e9, part: 0.25 };
/**
 * Longer recordings all go to the first lane: a session keeps the memory of its largest run, which grows with the square of
 * the length.
 */
const LONG = 12 * SAMPLE_RATE;

/**
 * How many encoders of their own share the threads. One encoder on two threads is slower than two on one each, since much of a
 * transformer's work does not divide well; each has its own copy of the weights, though, so memory decides.
 * @param memory of the machine or control group, in bytes
 */
export function lanesFor(
  models: readonly ModelReference[],
  threads: number,
  memory = Math.min(totalmem(), process.constrainedMemory() || Infinity),
): number {
  const weights = models.reduce(
    (sum, { folder, options }) => sum + weightBytes(folder) * LOADED[options.compute],
    WORKING_BYTES,
  );
  const budget = Math.min(FURTHER.bytes, FURTHER.part * memory);
  return Math.max(1, Math.min(MOST_LANES, threads, 1 + Math.floor(budget / weights)));
}

/** Of the model as it was made, without graphs of other types beside it. */
function weightBytes(folder: string): number {
  return readdirSync(folder)
    .filter((file) => !isConverted(file))
    .reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
}

/** Several encoders of the same models as one: each batch goes to the one with the least work before it. */
export class EncoderLanes implements Encoder {
  private readonly encoders: readonly Encoder[];
  /** Steps of input that each still has to do. */
  private readonly waiting: number[];

  /** @param encoders of the same models on the same device, at least one */
  constructor(encoders: readonly Encoder[]) {
    this.encoders = encoders;
    this.waiting = encoders.map(() => 0);
  }

  /**
   * The first one alone, which may have a graph to make that all of them use, then the others together.
   * @param start starts one of them
   * @throws what `start` throws, after those that did start are closed
   */
  static async start(count: number, start: () => Promise<Encoder>): Promise<EncoderLanes> {
    const first = await start();
    const others = await Promise.allSettled(Array.from({ length: count - 1 }, start));
    const started = [{ status: 'fulfilled' as const, value: first }, ...others];
    const failed = started.find((one) => one.status === 'rejected');
    const lanes = new EncoderLanes(started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])));
    if (failed === undefined) return lanes;
    await lanes.close();
    throw failed.reason;
  }

  get devices(): readonly Device[] {
    return (this.encoders[0] as Encoder).devices;
  }

  get lanes(): number {
    return this.encoders.length;
  }

  async encode(
    model: number,
    inputs: readonly EncoderInput[],
    features: readonly number[],
  ): Promise<EncodedSteps[][]> {
    const long = inputs.some((input) => input instanceof Float32Array && input.length > LONG);
    const lane = long ? 0 : this.waiting.indexOf(Math.min(...this.waiting));
    const size = inputs.reduce((sum, { length }) => sum + length, 0);
    this.waiting[lane] = (this.waiting[lane] as number) + size;
    try {
      return await (this.encoders[lane] as Encoder).encode(model, inputs, features);
    } finally {
      this.waiting[lane] -= size;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.encoders.map((encoder) => encoder.close()));
  }
}
