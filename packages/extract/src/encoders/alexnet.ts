import { Graph } from '@lsgmer/onnx/runtime';
import { z } from 'zod';
import { Layers } from './layers.ts';
import type { WeightSource } from './weight-source.ts';

const size = z.number().int().positive();

/** Output channels of the five convolutions; the strides, kernels and paddings are torchvision's. */
export const AlexnetConfig = z.object({
  model_type: z.literal('alexnet'),
  channels: z.tuple([size, size, size, size, size]),
});
export type AlexnetConfig = z.infer<typeof AlexnetConfig>;

/** Rows of the picture; with 256 of them `features` has 7. */
const PICTURE_ROWS = 256;
export const ALEXNET_ROWS = 7;

/** Mean and standard deviation of ImageNet's red, green and blue, which torchvision's weights expect. */
const IMAGENET_MEAN = [0.485, 0.456, 0.406];
const IMAGENET_SD = [0.229, 0.224, 0.225];

interface Convolution {
  /** Index in torchvision's `features`. */
  readonly index: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  /** A 3 x 3 maximum with stride 2 follows. */
  readonly pooled: boolean;
}

const CONVOLUTIONS: readonly Convolution[] = [
  { index: 0, kernel: 11, stride: 4, padding: 2, pooled: true },
  { index: 3, kernel: 5, stride: 1, padding: 2, pooled: true },
  { index: 6, kernel: 3, stride: 1, padding: 1, pooled: false },
  { index: 8, kernel: 3, stride: 1, padding: 1, pooled: false },
  { index: 10, kernel: 3, stride: 1, padding: 1, pooled: true },
];

/** Steps that `features` makes of a picture that wide; 63 columns give one, then one per 32. */
export function alexnetSteps(columns: number): number {
  let length = columns;
  for (const { kernel, stride, padding, pooled } of CONVOLUTIONS) {
    length = Math.floor((length + 2 * padding - kernel) / stride) + 1;
    if (pooled) length = Math.floor((length - 3) / 2) + 1;
  }
  return length;
}

/**
 * torchvision's alexnet `features` (Krizhevsky 2014) on a one-channel picture, which is repeated three times and
 * normalised as ImageNet's pictures are.
 * Input `picture` float32 [B, 256, columns] in 0..1; output `features` [B, S, channels * 7]: step s holds, at
 * channel * 7 + row, column s of the feature map.
 *
 * @param weights tensors named as in torchvision's state dict (`features.0.weight`, ...)
 */
export function buildAlexnet(config: AlexnetConfig, weights: WeightSource): Graph {
  const g = new Graph('alexnet');
  const layers = new Layers(g, weights);
  const picture = g.input('picture', 'float32', ['batch', PICTURE_ROWS, 'columns']);
  const mean = g.constant('float32', [1, 3, 1, 1], IMAGENET_MEAN);
  const sd = g.constant('float32', [1, 3, 1, 1], IMAGENET_SD);
  const grey = g.op('Unsqueeze', [picture, g.int64([1])]); // [B, 1, 256, W]
  let x = g.op('Div', [g.op('Sub', [grey, mean]), sd]); // [B, 3, 256, W]

  let channels = 3;
  CONVOLUTIONS.forEach(({ index, kernel, stride, padding, pooled }, i) => {
    const out = config.channels[i] as number;
    const name = `features.${index}`;
    const shape = [out, channels, kernel, kernel];
    const weight = layers.parameter(`${name}.weight`, shape);
    const bias = layers.parameter(`${name}.bias`, [out]);
    const pads = [padding, padding, padding, padding];
    x = g.op('Conv', [x, weight, bias], { kernel_shape: [kernel, kernel], strides: [stride, stride], pads });
    x = g.op('Relu', [x]);
    if (pooled) x = g.op('MaxPool', [x], { kernel_shape: [3, 3], strides: [2, 2] });
    channels = out;
  });
  // [B, C, 7, S] -> [B, S, C, 7] -> [B, S, C 7]
  const turned = g.op('Transpose', [x], { perm: [0, 3, 1, 2] });
  const dim = channels * ALEXNET_ROWS;
  g.output(g.op('Reshape', [turned, g.int64([0, 0, dim])]), 'float32', ['batch', 'steps', dim], 'features');
  return g;
}
