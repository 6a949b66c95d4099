import { batchMemory, batchValues, decodeHalf, fitsBatch, Rng, UserError } from '@lsgmer/datasets';
import type { FeatureDims, Head, HeadConfig, HostBatch, InputSpec } from '../head/contract.ts';
import { mapPoolWeights, mapPositions, type StepTimes } from '../head/interpolation.ts';
import type { MicroBatch } from './epoch.ts';
import {
  type FeatureInput,
  type FeatureSource,
  type FeatureSources,
  featureDims,
  type Joined,
} from './source.ts';
import { type Standards, standardise } from './standards.ts';
import { fillTarget, plainTargets, type TargetRule } from './targets.ts';

/** Where a micro-batch stands in its update: sets the weight of its rows and the draws of dropout. */
export interface Place {
  /** Real rows of the whole update: each weighs 1 / rows. */
  readonly rows: number;
  /** Row of the update at which this micro-batch starts. */
  readonly firstRow: number;
  /** Seed and number of the update for dropout masks; without it nothing is dropped. */
  readonly dropout?: { readonly seed: number; readonly step: number };
  /** See `targetScale`; 1 unless given. */
  readonly targetScale?: number;
}

/** How batches differ from what the store holds; nothing unless given. */
export interface BatchOptions {
  /** Applies to updates, not to scoring. */
  readonly targets?: TargetRule;
  /** Share of an update's rows that lose one of the two modalities; needs `Place.dropout`. */
  readonly modalityDropout?: number;
  readonly standards?: Standards | undefined;
}

type Feed = Float32Array | Uint16Array;

/** Steps of a row by input; 0 where its modality is masked. */
type Kept = Joined['lengths'][number];

/**
 * Builds batches in host memory from cached rows. Buffers are reused: a batch is valid until it is released.
 * Padding is always 0, so it depends on nothing that was there before.
 */
export class Assembler {
  private readonly head: Head;
  private readonly config: HeadConfig;
  private readonly classes: number;
  private readonly joined: Joined;
  private readonly sources: FeatureSources;
  private readonly dims: FeatureDims;
  private readonly options: BatchOptions;
  private readonly times: { audio: StepTimes; map: StepTimes } | undefined;
  /** Buffers by input name that no batch holds; each is as large as the largest batch so far needed. */
  private readonly free = new Map<string, ArrayBuffer[]>();

  constructor(
    head: Head,
    config: HeadConfig,
    classes: number,
    joined: Joined,
    sources: FeatureSources,
    options: BatchOptions = {},
  ) {
    this.options = options;
    this.head = head;
    this.config = config;
    this.classes = classes;
    this.joined = joined;
    this.sources = sources;
    this.dims = featureDims(sources);
    const { audio, map } = sources;
    this.times = timesOf(audio, map);
  }

  /**
   * @returns the batch with every input that the head lists for its shape
   * @throws what the sources throw; UserError for an input that nothing here can fill
   */
  async assemble(micro: MicroBatch, place: Place): Promise<HostBatch> {
    const { shape, items } = micro;
    if (items.length > shape.rows) throw new Error(`${items.length} utterances for ${shape.rows} rows`);
    const specs = this.head.inputs(this.config, this.dims, this.classes, shape);
    const kept = items.map((item, r) => this.kept(item, place, r));
    const filled = await Promise.all(specs.map((spec) => this.fill(spec, items, kept, place)));
    const feeds = Object.fromEntries(specs.map(({ name }, i) => [name, filled[i] as Feed]));
    return { shape, ids: items.map((item) => this.row(item).id), feeds };
  }

  /** Gives a batch's buffers back. */
  release(batch: HostBatch): void {
    for (const [name, feed] of Object.entries(batch.feeds)) {
      const cast = feed instanceof Float32Array && this.sources[name as FeatureInput]?.dtype === 'float16';
      this.keep(cast ? `${name}.float32` : name, feed.buffer as ArrayBuffer);
    }
  }

  private keep(name: string, buffer: ArrayBuffer): void {
    const list = this.free.get(name) ?? [];
    list.push(buffer);
    this.free.set(name, list);
  }

  /**
   * The steps of a row that the batch holds: none of a modality that is masked, because the utterance lacks it or by
   * modality dropout. Heads take a row without real steps for what it is.
   */
  private kept(item: number, place: Place, r: number): Kept {
    const lengths = this.length(item);
    const dropped = this.droppedModality(place, r);
    const steps = (input: FeatureInput): number => {
      const lost = dropped === (input === 'text' ? 'text' : 'audio');
      return lost ? 0 : lengths[input];
    };
    return { text: steps('text'), audio: steps('audio'), map: steps('map') };
  }

  /** Drawn from seed, update and row of the update, as dropout is. */
  private droppedModality({ dropout, firstRow }: Place, r: number): 'text' | 'audio' | undefined {
    const { modalityDropout = 0 } = this.options;
    const { text, audio } = this.sources;
    if (modalityDropout === 0 || dropout === undefined || text === undefined || audio === undefined)
      return undefined;
    const rng = Rng.for('modality dropout', dropout.seed, dropout.step, firstRow + r);
    if (rng.uniform() >= modalityDropout) return undefined;
    return rng.int(2) === 0 ? 'text' : 'audio';
  }

  private async fill(
    spec: InputSpec,
    items: readonly number[],
    kept: readonly Kept[],
    place: Place,
  ): Promise<Feed> {
    const size = spec.shape.reduce((a, b) => a * b, 1);
    const { name } = spec;
    if (name === 'text' || name === 'audio' || name === 'map')
      return this.features(spec, name, size, items, kept);
    const out = batchValues(this.buffer(name, 4 * size), 'float32', size);
    out.fill(0);
    const width = size / (spec.shape[0] as number);
    items.forEach((item, r) => {
      this.fillRow(name, spec, item, kept[r] as Kept, out.subarray(r * width, (r + 1) * width), place, r);
    });
    return out;
  }

  private fillRow(
    name: string,
    spec: InputSpec,
    item: number,
    kept: Kept,
    out: Float32Array,
    place: Place,
    r: number,
  ): void {
    if (name === 'textMask') out.fill(1, 0, kept.text);
    else if (name === 'audioMask') out.fill(1, 0, kept.audio);
    else if (name === 'target') {
      const rule = place.dropout === undefined ? plainTargets : (this.options.targets ?? plainTargets);
      fillTarget(this.row(item).label, rule, place.targetScale ?? 1, out);
    } else if (name === 'weight') out[0] = 1 / place.rows;
    else if (name === 'mapPool') {
      if (kept.map > 0) out.set(mapPoolWeights(kept.map, spec.shape[2] as number));
    } else if (name === 'mapPosition') {
      if (this.times === undefined)
        throw new Error('mapPosition needs the sources audio and map, with their times');
      if (kept.map > 0) mapPositions(kept.audio, kept.map, this.times.audio, this.times.map, out);
    } else if (name.startsWith('dropout.')) {
      this.fillDropout(name.slice('dropout.'.length), out, place, r);
    } else throw new UserError(`head ${this.head.name} asks for the input ${name}, which no batch has`);
  }

  /** 0 or 1 / keep, drawn from seed, update, place and row of the update: accumulation changes nothing. */
  private fillDropout(where: string, out: Float32Array, { dropout, firstRow }: Place, r: number): void {
    const rate = dropout === undefined ? 0 : Number(this.config[`${where}.dropout`]);
    if (!(rate >= 0 && rate < 1)) throw new Error(`no rate in [0, 1) under the key ${where}.dropout`);
    if (dropout === undefined || rate === 0) {
      out.fill(1);
      return;
    }
    const rng = Rng.for('dropout', dropout.seed, dropout.step, where, firstRow + r);
    const kept = 1 / (1 - rate);
    for (let i = 0; i < out.length; i++) out[i] = rng.uniform() < rate ? 0 : kept;
  }

  private async features(
    spec: InputSpec,
    name: FeatureInput,
    size: number,
    items: readonly number[],
    kept: readonly Kept[],
  ): Promise<Feed> {
    const source = this.sources[name];
    if (source === undefined) throw new Error(`the head asks for ${name}, but no feature feeds it`);
    const steps = spec.shape[1] as number;
    const width = steps * source.dim;
    for (const item of items) {
      const used = this.length(item)[name] * source.dim;
      if (used > width) throw new Error(`${this.row(item).id}: ${used} values for a row of ${width}`);
    }
    const half = source.dtype === 'float16';
    const out: Feed = batchValues(this.buffer(name, (half ? 2 : 4) * size), source.dtype, size);
    out.fill(0, items.length * width);
    if (source.readBatch !== undefined && items.every((item) => this.length(item)[name] > 0)) {
      await source.readBatch(
        items.map((item) => this.row(item).id),
        steps,
        out,
      );
    } else {
      for (const [r, item] of items.entries()) {
        const used = this.length(item)[name] * source.dim;
        if (used > 0) await source.readInto(this.row(item).id, out, r * width);
        out.fill(0, r * width + used, (r + 1) * width);
      }
    }
    kept.forEach((one, r) => {
      if (one[name] === 0) out.fill(0, r * width, (r + 1) * width);
    });
    return this.standardised(name, out, width, items, kept);
  }

  /** Masked rows stay zero: after standardising that is the mean. */
  private standardised(
    name: FeatureInput,
    out: Feed,
    width: number,
    items: readonly number[],
    kept: readonly Kept[],
  ): Feed {
    const { standards } = this.options;
    const dim = this.dims[name];
    const known = items.map((item) => standards?.of(name, this.row(item).id));
    if (known.every((standard) => standard === undefined)) return out;
    let values: Float32Array;
    if (out instanceof Float32Array) values = out;
    else {
      values = batchValues(this.buffer(`${name}.float32`, 4 * out.length), 'float32', out.length);
      decodeHalf(out, values);
      this.keep(name, out.buffer as ArrayBuffer);
    }
    known.forEach((standard, r) => {
      const used = (kept[r] as Kept)[name] * dim;
      if (standard !== undefined) standardise(values.subarray(r * width, r * width + used), standard);
    });
    return values;
  }

  /** A free buffer of at least `bytes`; smaller ones are dropped, so the pool grows to one size. */
  private buffer(name: string, bytes: number): ArrayBuffer {
    const list = this.free.get(name);
    for (let found = list?.pop(); found !== undefined; found = list?.pop()) {
      if (fitsBatch(found, bytes)) return found;
    }
    return batchMemory(bytes);
  }

  private row(item: number): Joined['rows'][number] {
    return this.joined.rows[item] as Joined['rows'][number];
  }

  private length(item: number): Joined['lengths'][number] {
    return this.joined.lengths[item] as Joined['lengths'][number];
  }
}

/** undefined where they are not both there, or one of them has no times (then no position may be asked for). */
function timesOf(
  audio: FeatureSource | undefined,
  map: FeatureSource | undefined,
): { audio: StepTimes; map: StepTimes } | undefined {
  const [own, other] = [stepTimes(audio), stepTimes(map)];
  return own && other ? { audio: own, map: other } : undefined;
}

function stepTimes(source: FeatureSource | undefined): StepTimes | undefined {
  const { firstSeconds = null, stepSeconds = null } = source ?? {};
  return firstSeconds === null || stepSeconds === null ? undefined : { firstSeconds, stepSeconds };
}
