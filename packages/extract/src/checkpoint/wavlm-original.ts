import { UserError } from '@lsgmer/datasets';
import type { PickleValue } from './unpickle.ts';

/**
 * Names and settings of WavLM's original checkpoints (`WavLM-Large.pt`), which have fairseq's style, in Hugging
 * Face's terms.
 */
const RENAMES: readonly (readonly [RegExp, string])[] = [
  [/^mask_emb$/, 'masked_spec_embed'],
  [/^layer_norm\./, 'feature_projection.layer_norm.'],
  [/^post_extract_proj\./, 'feature_projection.projection.'],
  [/^feature_extractor\.conv_layers\.(\d+)\.0\./, 'feature_extractor.conv_layers.$1.conv.'],
  // The group norm of the first layer is the third of a sequence, the layer norms lie between two transpositions.
  [/^feature_extractor\.conv_layers\.(\d+)\.2\.(?:1\.)?/, 'feature_extractor.conv_layers.$1.layer_norm.'],
  [/^encoder\.pos_conv\.0\./, 'encoder.pos_conv_embed.conv.'],
  [/\.self_attn\.relative_attention_bias\./, '.attention.rel_attn_embed.'],
  [/\.self_attn\.grep_linear\./, '.attention.gru_rel_pos_linear.'],
  [/\.self_attn\.grep_a$/, '.attention.gru_rel_pos_const'],
  [/\.self_attn\.([kvq]|out)_proj\./, '.attention.$1_proj.'],
  [/\.self_attn_layer_norm\./, '.layer_norm.'],
  [/\.fc1\./, '.feed_forward.intermediate_dense.'],
  [/\.fc2\./, '.feed_forward.output_dense.'],
];

export function wavlmName(original: string): string {
  return RENAMES.reduce((name, [pattern, by]) => name.replace(pattern, by), original);
}

/**
 * config.json and preprocessor_config.json of an original checkpoint.
 * @param settings the checkpoint's `cfg`
 * @throws UserError when it describes what is no WavLM
 */
export function wavlmSettings(
  settings: ReadonlyMap<PickleValue, PickleValue>,
  file: string,
): { config: { [key: string]: unknown }; preprocessor: { [key: string]: unknown } } {
  const refuse = (why: string): never => {
    throw new UserError(`${file}: its settings are no WavLM's: ${why}`);
  };
  const setting = (key: string, otherwise: PickleValue): PickleValue => settings.get(key) ?? otherwise;
  for (const key of ['relative_position_embedding', 'gru_rel_pos']) {
    if (setting(key, false) !== true) refuse(`${key} is not set`);
  }
  const layers = convolutions(setting('conv_feature_layers', ''));
  if (layers.length === 0)
    refuse(`conv_feature_layers is ${JSON.stringify(setting('conv_feature_layers', ''))}`);
  return {
    config: {
      model_type: 'wavlm',
      hidden_size: setting('encoder_embed_dim', 768),
      num_hidden_layers: setting('encoder_layers', 12),
      num_attention_heads: setting('encoder_attention_heads', 12),
      intermediate_size: setting('encoder_ffn_embed_dim', 3072),
      hidden_act: setting('activation_fn', 'gelu'),
      conv_dim: layers.map(([channels]) => channels),
      conv_kernel: layers.map(([, kernel]) => kernel),
      conv_stride: layers.map(([, , stride]) => stride),
      conv_bias: setting('conv_bias', false),
      feat_extract_norm: setting('extractor_mode', 'default') === 'layer_norm' ? 'layer' : 'group',
      do_stable_layer_norm: setting('layer_norm_first', false),
      num_conv_pos_embeddings: setting('conv_pos', 128),
      num_conv_pos_embedding_groups: setting('conv_pos_groups', 16),
      num_buckets: setting('num_buckets', 320),
      max_bucket_distance: setting('max_distance', 1280),
    },
    preprocessor: { do_normalize: setting('normalize', false), sampling_rate: 16_000 },
  };
}

/** `[(512,10,5)] + [(512,3,2)] * 4`: a Python expression of that one form, read and not run. */
function convolutions(text: PickleValue): [number, number, number][] {
  if (typeof text !== 'string') return [];
  const term = /\[\s*\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\)\s*\](?:\s*\*\s*(\d+))?/g;
  if (text.replace(term, '').replaceAll(/[\s+]/g, '') !== '') return [];
  return [...text.matchAll(term)].flatMap(([, channels, kernel, stride, times]) =>
    Array.from({ length: Number(times ?? 1) }, (): [number, number, number] => [
      Number(channels),
      Number(kernel),
      Number(stride),
    ]),
  );
}
