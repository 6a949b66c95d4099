import { describe, expect, it } from 'vitest';
import { wavlmName, wavlmSettings } from '../../src/checkpoint/wavlm-original.ts';

describe('wavlmName', () => {
  it.each([
    ['feature_extractor.conv_layers.0.0.weight', 'feature_extractor.conv_layers.0.conv.weight'],
    ['feature_extractor.conv_layers.3.2.1.bias', 'feature_extractor.conv_layers.3.layer_norm.bias'],
    ['feature_extractor.conv_layers.0.2.weight', 'feature_extractor.conv_layers.0.layer_norm.weight'],
    ['layer_norm.weight', 'feature_projection.layer_norm.weight'],
    ['encoder.layer_norm.weight', 'encoder.layer_norm.weight'],
    ['encoder.layers.7.self_attn_layer_norm.bias', 'encoder.layers.7.layer_norm.bias'],
    ['encoder.layers.7.self_attn.out_proj.bias', 'encoder.layers.7.attention.out_proj.bias'],
    [
      'encoder.layers.0.self_attn.relative_attention_bias.weight',
      'encoder.layers.0.attention.rel_attn_embed.weight',
    ],
    ['encoder.pos_conv.0.weight_v', 'encoder.pos_conv_embed.conv.weight_v'],
  ])('%s', (theirs, ours) => expect(wavlmName(theirs)).toBe(ours));
});

describe('wavlmSettings', () => {
  /** WavLM-Large's. */
  const large = new Map<string, string | number | boolean>([
    ['extractor_mode', 'layer_norm'],
    ['encoder_layers', 24],
    ['encoder_embed_dim', 1024],
    ['encoder_ffn_embed_dim', 4096],
    ['encoder_attention_heads', 16],
    ['activation_fn', 'gelu'],
    ['layer_norm_first', true],
    ['conv_feature_layers', '[(512,10,5)] + [(512,3,2)] * 4 + [(512,2,2)] * 2'],
    ['normalize', true],
    ['relative_position_embedding', true],
    ['gru_rel_pos', true],
    ['num_buckets', 320],
    ['max_distance', 800],
  ]);

  it('become config.json and preprocessor_config.json', () => {
    expect(wavlmSettings(large, 'WavLM-Large.pt')).toMatchObject({
      config: {
        model_type: 'wavlm',
        hidden_size: 1024,
        num_hidden_layers: 24,
        conv_dim: [512, 512, 512, 512, 512, 512, 512],
        conv_kernel: [10, 3, 3, 3, 3, 2, 2],
        conv_stride: [5, 2, 2, 2, 2, 2, 2],
        feat_extract_norm: 'layer',
        do_stable_layer_norm: true,
        max_bucket_distance: 800,
      },
      preprocessor: { do_normalize: true },
    });
  });

  it('are refused where they are of something else', () => {
    const changed = (key: string, value: string | boolean) => () =>
      wavlmSettings(new Map([...large, [key, value]]), 'x.pt');
    expect(changed('gru_rel_pos', false)).toThrow(
      "x.pt: its settings are no WavLM's: gru_rel_pos is not set",
    );
    expect(changed('conv_feature_layers', '[(512,10,5)] + __import__("os")')).toThrow(
      'conv_feature_layers is',
    );
  });
});
