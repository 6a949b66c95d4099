import { expect, it } from 'vitest';
import { encoderName, isWithoutInfluence } from '../../src/checkpoint/tensor-names.ts';

it('encoderName strips the prefix of the family, and knows older spellings', () => {
  expect(encoderName('roberta.encoder.layer.0.output.LayerNorm.gamma', 'xlm-roberta')).toBe(
    'encoder.layer.0.output.LayerNorm.weight',
  );
  expect(encoderName('bert.embeddings.LayerNorm.beta', 'bert')).toBe('embeddings.LayerNorm.bias');
  expect(encoderName('roberta.pooler.dense.bias', 'bert')).toBe('roberta.pooler.dense.bias');
  const conv = 'encoder.pos_conv_embed.conv';
  expect(encoderName(`wavlm.${conv}.parametrizations.weight.original0`, 'wavlm')).toBe(`${conv}.weight_g`);
  expect(encoderName(`${conv}.parametrizations.weight.original1`, 'hubert')).toBe(`${conv}.weight_v`);
});

it('isWithoutInfluence takes no part of an encoder for a head', () => {
  const heads = ['lm_head.bias', 'pooler.dense.weight', 'embeddings.position_ids', 'classifier.weight'];
  expect(heads.map((name) => isWithoutInfluence(name, 'roberta'))).toEqual([true, true, true, true]);
  expect(isWithoutInfluence('masked_spec_embed', 'roberta')).toBe(false);
  expect(isWithoutInfluence('masked_spec_embed', 'wavlm')).toBe(true);
  expect(isWithoutInfluence('classifier.6.weight', 'alexnet')).toBe(true);
  for (const name of [
    'features.10.weight',
    'encoder.layer.11.output.dense.weight',
    'feature_projection.projection.bias',
  ])
    expect((['alexnet', 'roberta', 'wavlm'] as const).some((type) => isWithoutInfluence(name, type))).toBe(
      false,
    );
});
