import { z } from 'zod';

const size = z.number().int().positive();

/** What wav2vec 2.0 and its descendants have in common; the defaults are Hugging Face's. */
const shared = {
  hidden_size: size.default(768),
  num_hidden_layers: size.default(12),
  num_attention_heads: size.default(12),
  intermediate_size: size.default(3072),
  conv_dim: z.array(size).default([512, 512, 512, 512, 512, 512, 512]),
  conv_kernel: z.array(size).default([10, 3, 3, 3, 3, 2, 2]),
  conv_stride: z.array(size).default([5, 2, 2, 2, 2, 2, 2]),
  conv_bias: z.boolean().default(false),
  /** `group` normalises over the whole clip after the first convolution, `layer` over channels after each. */
  feat_extract_norm: z.enum(['group', 'layer']).default('group'),
  /** Norms before each half of a layer, and one at the end (the large models), instead of after each half. */
  do_stable_layer_norm: z.boolean().default(false),
  num_conv_pos_embeddings: size.default(128),
  num_conv_pos_embedding_groups: size.default(16),
  layer_norm_eps: z.number().positive().default(1e-5),
  hidden_act: z.literal('gelu').default('gelu'),
  feat_extract_activation: z.literal('gelu').default('gelu'),
  add_adapter: z.literal(false).optional(),
  adapter_attn_dim: z.null().optional(),
};

const sameLengths = [
  ({
    conv_dim: a,
    conv_kernel: b,
    conv_stride: c,
  }: {
    conv_dim: number[];
    conv_kernel: number[];
    conv_stride: number[];
  }) => a.length === b.length && b.length === c.length,
  { error: 'conv_dim, conv_kernel and conv_stride differ in length' },
] as const;

/** What a WavLM's config.json must say; other keys do not matter here. */
export const WavlmConfig = z
  .object({
    model_type: z.literal('wavlm'),
    ...shared,
    num_buckets: size.default(320),
    max_bucket_distance: size.default(800),
  })
  .refine(...sameLengths);
export type WavlmConfig = z.infer<typeof WavlmConfig>;

export const Wav2vec2Config = z
  .object({ model_type: z.literal('wav2vec2'), ...shared })
  .refine(...sameLengths);

export const HubertConfig = z
  .object({
    model_type: z.literal('hubert'),
    ...shared,
    feat_proj_layer_norm: z.boolean().default(true),
    conv_pos_batch_norm: z.literal(false).default(false),
  })
  .refine(...sameLengths);

export type SpeechConfig = WavlmConfig | z.infer<typeof Wav2vec2Config> | z.infer<typeof HubertConfig>;

/** Frames that the convolutions make of a waveform: floor((n - kernel) / stride) + 1, one after the other. */
export function speechFrames(
  config: Pick<SpeechConfig, 'conv_kernel' | 'conv_stride'>,
  samples: number,
): number {
  return config.conv_kernel.reduce(
    (length, kernel, i) => Math.floor((length - kernel) / (config.conv_stride[i] as number)) + 1,
    samples,
  );
}

/** Samples that one frame sees, and samples from frame to frame: 400 and 320 in the released models. */
export function speechField(config: Pick<SpeechConfig, 'conv_kernel' | 'conv_stride'>): {
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
