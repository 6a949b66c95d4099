import { Rng } from '@lsgmer/datasets';
import { Assembler } from '../batches/assemble.ts';
import {
  type FeatureInput,
  type FeatureSources,
  type FeatureSource,
  joinFeatures,
} from '../batches/source.ts';
import type { FeatureDims, Head, HeadConfig, HostBatch } from './contract.ts';

/** Small sizes at which heads are checked: 14 = 2 channels x 7 rows of a spectrogram map. */
export const CHECK_DIMS: FeatureDims = { text: 6, audio: 5, map: 14 };
export const CHECK_CLASSES = 4;

/** Steps of each utterance, the longest first; some features have one step only. */
const LENGTHS = { text: [6, 1, 4, 3, 5], audio: [9, 5, 1, 8, 6], map: [4, 2, 1, 3, 4] } as const;
const TIMES = { text: [null, null], audio: [0.05, 0.11], map: [0.2, 0.25] } as const;
const IDS = LENGTHS.text.map((_, i) => `check/${i}`);

export interface CheckPadding {
  /** Steps and rows beyond the longest. */
  readonly text?: number;
  readonly audio?: number;
  readonly map?: number;
  readonly rows?: number;
  /** What stands in the padding of features. */
  readonly junk?: number;
  /** The utterances, all unless given. */
  readonly only?: readonly number[];
  /** Inputs whose mask is 0 for every utterance in these rows, with junk in their place. */
  readonly absent?: { readonly [input in 'text' | 'audio']?: readonly number[] };
}

function source(input: FeatureInput): FeatureSource {
  const dim = CHECK_DIMS[input];
  const [firstSeconds, stepSeconds] = TIMES[input];
  const length = (id: string): number | undefined => LENGTHS[input][IDS.indexOf(id)];
  return {
    feature: `check-${input}`,
    fingerprint: '',
    dim,
    dtype: 'float32',
    firstSeconds,
    stepSeconds,
    length,
    checksum: () => '',
    readInto: (id, target, offset) =>
      target.set(Rng.for('head check', input, id).normals((length(id) ?? 0) * dim), offset),
  };
}

/**
 * A batch of five short utterances, assembled as training assembles them, so that an input that no batch has is
 * noticed.
 * @throws Error for an input that nothing can fill
 */
export async function checkBatch(
  head: Head,
  config: HeadConfig,
  padding: CheckPadding = {},
): Promise<HostBatch> {
  const sources: FeatureSources = { text: source('text'), audio: source('audio'), map: source('map') };
  const labels = [2, 0, 3, 1, 2];
  const joined = joinFeatures(
    IDS.map((id, i) => ({ id, label: labels[i] as number })),
    sources,
  );
  const items = padding.only ?? IDS.map((_, i) => i);
  const longest = (input: FeatureInput): number =>
    Math.max(...items.map((item) => LENGTHS[input][item] as number)) + (padding[input] ?? 0);
  const shape = {
    rows: items.length + (padding.rows ?? 0),
    text: longest('text'),
    audio: longest('audio'),
    map: longest('map'),
  };
  const assembler = new Assembler(head, config, CHECK_CLASSES, joined, sources);
  const place = { rows: items.length, firstRow: 0, dropout: { seed: 1, step: 1 } };
  const batch = await assembler.assemble({ shape, items }, place);
  for (const input of ['text', 'audio', 'map'] as const) {
    const values = batch.feeds[input];
    const mask = batch.feeds[`${input}Mask`];
    if (values === undefined) continue;
    const width = values.length / shape.rows;
    for (let row = 0; row < shape.rows; row++) {
      const gone = input !== 'map' && (padding.absent?.[input]?.includes(row) ?? false);
      if (gone)
        mask?.fill(0, (row * (mask.length ?? 0)) / shape.rows, ((row + 1) * mask.length) / shape.rows);
      const used = gone ? 0 : (LENGTHS[input][items[row] ?? -1] ?? 0) * CHECK_DIMS[input];
      values.fill(padding.junk ?? 0, row * width + used, (row + 1) * width);
    }
  }
  return batch;
}
