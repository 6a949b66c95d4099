import type { CostModel } from '@lsgmer/datasets';

/**
 * What the features of each preset hold, and how fast one core of a Xeon (Sapphire Rapids, onnxruntime 1.30, float32,
 * one thread) made them: texts in batches of equal length, recordings one by one. Other processors differ by several
 * times, a GPU by much more.
 */
export const PRESET_COSTS: Readonly<Record<'paper' | 'tiny', readonly CostModel[]>> = {
  paper: [
    { feature: 'roberta-base', dim: 768, steps: 'tokens', perCoreSecond: 840 },
    { feature: 'wavlm-large', dim: 1024, steps: 'frames', perCoreSecond: 4.3 },
    { feature: 'alexnet-mel', dim: 1792, steps: 'columns', perCoreSecond: 130 },
  ],
  tiny: [
    { feature: 'random-tiny-roberta', dim: 64, steps: 'tokens', perCoreSecond: 16000 },
    { feature: 'random-tiny-wavlm', dim: 96, steps: 'frames', perCoreSecond: 200 },
    { feature: 'random-tiny-alexnet', dim: 224, steps: 'columns', perCoreSecond: 190 },
  ],
};
