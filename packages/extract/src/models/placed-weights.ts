import { closeSync, fsyncSync } from 'node:fs';
import { join } from 'node:path';
import { openNewFile, writeAll } from '@lsgmer/datasets';
import type { ExternalData } from '@lsgmer/onnx/runtime';
import { z } from 'zod';
import type { CheckpointWeights } from '../checkpoint/checkpoint-weights.ts';
import { elementsOf, readFloats } from '../checkpoint/stored-tensor.ts';
import { RecordedWeights, type WantedTensor, type WeightSource } from '../encoders/weight-source.ts';

/** File of a model folder with the tensors that the checkpoint does not hold as the graph needs them. */
export const WEIGHTS_FILE = 'weights.bin';

const count = z.number().int().nonnegative();

/** Where the tensors of a model's graphs lie, in files of the model's folder. */
export const Placement = z.strictObject({
  /** Bytes of each file. */
  files: z.record(z.string(), count),
  /** By the graph's names: file, offset in bytes, shape. */
  tensors: z.record(z.string(), z.tuple([z.string(), count, z.array(count)])),
});
export type Placement = z.infer<typeof Placement>;

/** Smaller tensors go into the graph itself, where the runtime's optimiser can look at them. */
const LEAST_EXTERNAL = 1024;
const ALIGNMENT = 64;

/** Takes note of what a graph needs, and gives it no values. */
export class ListingWeights implements WeightSource {
  readonly sources: WantedTensor['sources'][number][] = [];

  tensor(name: string): Float32Array {
    throw new Error(`${name}: a listing has no values`);
  }

  place({ shape, sources }: WantedTensor): ExternalData {
    this.sources.push(...sources);
    return { location: WEIGHTS_FILE, offset: 0, length: 4 * elementsOf(shape) };
  }
}

/**
 * Turns a checkpoint's tensors into files that graphs can point into: those that lie in the checkpoint as they are
 * needed stay there, the others are written to `weights.bin`. One tensor is in memory at a time.
 */
export class PlacingWeights implements WeightSource {
  readonly tensors: Placement['tensors'] = {};
  private readonly checkpoint: CheckpointWeights;
  private readonly recorded: RecordedWeights;
  private readonly locationOf: (file: string) => string;
  private readonly fd: number;
  private size = 0;

  /** @param locationOf name of a checkpoint's file in the model folder */
  constructor(checkpoint: CheckpointWeights, folder: string, locationOf: (file: string) => string) {
    this.checkpoint = checkpoint;
    this.recorded = new RecordedWeights(checkpoint);
    this.locationOf = locationOf;
    this.fd = openNewFile(join(folder, WEIGHTS_FILE));
  }

  tensor(name: string, shape: readonly number[]): Float32Array {
    return this.recorded.tensor(name, shape);
  }

  place({ name, shape, sources, make }: WantedTensor): ExternalData | Float32Array {
    const values = make(sources.map((source) => this.recorded.tensor(source.name, source.shape)));
    const stored =
      sources.length === 1 && sources[0]?.name === name ? this.checkpoint.inPlace(name) : undefined;
    const location = stored === undefined ? WEIGHTS_FILE : this.locationOf(stored.file);
    const offset = stored === undefined ? this.append(values) : stored.offset;
    this.tensors[name] = [location, offset, [...shape]];
    return values.byteLength < LEAST_EXTERNAL ? values : { location, offset, length: values.byteLength };
  }

  /** Digest of all tensors that were used. */
  digest(): string {
    return this.recorded.digest();
  }

  /** Finishes `weights.bin`; returns its bytes. */
  close(): number {
    fsyncSync(this.fd);
    closeSync(this.fd);
    return this.size;
  }

  private append(values: Float32Array): number {
    const padding = (ALIGNMENT - (this.size % ALIGNMENT)) % ALIGNMENT;
    writeAll(this.fd, new Uint8Array(padding));
    const offset = this.size + padding;
    writeAll(this.fd, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    this.size = offset + values.byteLength;
    return offset;
  }
}

/** The tensors of a model folder that is there: for further graphs of it. */
export class PlacedWeights implements WeightSource {
  private readonly folder: string;
  private readonly placement: Placement;

  constructor(folder: string, placement: Placement) {
    this.folder = folder;
    this.placement = placement;
  }

  tensor(name: string): Float32Array {
    const place = this.placement.tensors[name];
    if (place === undefined) throw new Error(`${this.folder} has no place for ${name}`);
    const [file, offset, shape] = place;
    return readFloats({ name, kind: 'F32', shape, file: join(this.folder, file), offset });
  }

  place({ name, shape }: WantedTensor): ExternalData | Float32Array {
    const [location, offset] = this.placement.tensors[name] ?? [];
    const length = 4 * elementsOf(shape);
    if (location === undefined || offset === undefined || length < LEAST_EXTERNAL) return this.tensor(name);
    return { location, offset, length };
  }
}
