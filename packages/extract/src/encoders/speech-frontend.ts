import { float } from '@lsgmer/onnx/runtime';
import type { Layers } from './layers.ts';
import type { SpeechConfig } from './speech-config.ts';

/** nn.LayerNorm's and nn.GroupNorm's own epsilon: the convolutions do not take the configuration's. */
const CONVOLUTION_EPSILON = 1e-5;

/**
 * The convolutional feature encoder.
 * @param waveform [B, samples]
 * @returns [B, frames, channels]
 */
export function convolutions(layers: Layers, config: SpeechConfig, waveform: string): string {
  const g = layers.graph;
  const turn = (value: string): string => g.op('Transpose', [value], { perm: [0, 2, 1] });
  let x = '';
  config.conv_dim.forEach((channels, i) => {
    const name = `feature_extractor.conv_layers.${i}`;
    const kernel = config.conv_kernel[i] as number;
    const inputs = [
      i === 0 ? g.op('Unsqueeze', [waveform, g.int64([1])]) : turn(x), // [B, channels, frames]
      layers.parameter(`${name}.conv.weight`, [channels, config.conv_dim[i - 1] ?? 1, kernel]),
    ];
    if (config.conv_bias) inputs.push(layers.parameter(`${name}.conv.bias`, [channels]));
    const attributes = { kernel_shape: [kernel], strides: [config.conv_stride[i] as number] };
    let convolved = g.op('Conv', inputs, attributes); // [B, channels, frames]
    if (config.feat_extract_norm === 'group' && i === 0) {
      // A group norm with one group per channel, over the whole length of the clip.
      const affine = ['weight', 'bias'].map((part) =>
        layers.parameter(`${name}.layer_norm.${part}`, [channels]),
      );
      const epsilon = float(CONVOLUTION_EPSILON);
      convolved = g.op('InstanceNormalization', [convolved, ...affine], { epsilon });
    }
    x = turn(convolved);
    if (config.feat_extract_norm === 'layer')
      x = layers.layerNorm(x, `${name}.layer_norm`, channels, CONVOLUTION_EPSILON);
    x = layers.gelu(x);
  });
  return x;
}

/**
 * Which frames are real: the mask of samples goes through the same lengths as the waveform.
 * @param mask int64 [B, samples]
 * @param positions int64 [frames]: 0, 1, 2, ...
 * @returns bool [B, frames]
 */
export function frameMask(layers: Layers, config: SpeechConfig, mask: string, positions: string): string {
  const g = layers.graph;
  const number = (value: number): string => g.scalar(value, 'int64');
  let length = g.op('ReduceSum', [mask, g.int64([1])], { keepdims: 1 }); // [B, 1]
  config.conv_kernel.forEach((kernel, i) => {
    const steps = g.op('Div', [
      g.op('Sub', [length, number(kernel)]),
      number(config.conv_stride[i] as number),
    ]);
    length = g.op('Add', [steps, number(1)]);
  });
  return g.op('Less', [g.op('Unsqueeze', [positions, g.int64([0])]), length]);
}

/**
 * The convolution over neighbouring frames that stands for positions: a grouped convolution as wide as the
 * encoder, padded on both sides, its last frame dropped where the kernel is even.
 * @param x [B, frames, width]
 * @returns the same shape
 */
export function positionalConvolution(layers: Layers, config: SpeechConfig, x: string): string {
  const g = layers.graph;
  const {
    hidden_size: width,
    num_conv_pos_embeddings: kernel,
    num_conv_pos_embedding_groups: groups,
  } = config;
  const name = 'encoder.pos_conv_embed.conv';
  const inputs = [
    g.op('Transpose', [x], { perm: [0, 2, 1] }),
    layers.parameter(`${name}.weight`, [width, width / groups, kernel]),
    layers.parameter(`${name}.bias`, [width]),
  ];
  const half = Math.floor(kernel / 2);
  const pads = [half, kernel % 2 === 0 ? half - 1 : half];
  const convolved = g.op('Conv', inputs, { kernel_shape: [kernel], pads, group: groups });
  return g.op('Transpose', [layers.gelu(convolved)], { perm: [0, 2, 1] });
}
