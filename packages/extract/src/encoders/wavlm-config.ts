import { z } from 'zod';

const size = z.number().int().positive();

/** What a WavLM's config.json must say; other keys do not matter here. */
export const WavlmConfig = z
  .object({
    model_type: z.literal('wavlm'),
    hidden_size: size,
    num_hidden_layers: size,
    num_attention_heads: size,
    intermediate_size: size,
    conv_dim: z.array(size),
    conv_kernel: z.array(size),
    conv_stride: z.array(size),
    conv_bias: z.boolean(),
    /** `group` normalises over the whole clip after the first convolution, `layer` over channels after each. */
    feat_extract_norm: z.enum(['group', 'layer']),
    do_stable_layer_norm: z.boolean(),
    num_conv_pos_embeddings: size,
    num_conv_pos_embedding_groups: size,
    num_buckets: size,
    max_bucket_distance: size,
    layer_norm_eps: z.number().positive(),
    hidden_act: z.literal('gelu'),
    feat_extract_activation: z.literal('gelu'),
    add_adapter: z.literal(false).optional(),
  })
  .refine(
    ({ conv_dim: a, conv_kernel: b, conv_stride: c }) => a.length === b.length && b.length === c.length,
    {
      error: 'conv_dim, conv_kernel and conv_stride differ in length',
    },
  );
export type WavlmConfig = z.infer<typeof WavlmConfig>;

/** Frames that the convolutions make of a waveform: floor((n - kernel) / stride) + 1, one after the other. */
export function wavlmFrames(
  config: Pick<WavlmConfig, 'conv_kernel' | 'conv_stride'>,
  samples: number,
): number {
  return config.conv_kernel.reduce(
    (length, kernel, i) => Math.floor((length - kernel) / (config.conv_stride[i] as number)) + 1,
    samples,
  );
}

/** Samples that one frame sees, and samples from frame to frame: 400 and 320 for WavLM. */
export function wavlmField(config: Pick<WavlmConfig, 'conv_kernel' | 'conv_stride'>): {
  field: number;
  stride: number;
} {
  let field = 1;
  let stride = 1;
  config.conv_kernel.forEach((kernel, i) => {
    field += (kernel - 1) * stride;
    stride *= config.conv_stride[i] as number;
  });
  return { field, stride };
}
