import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { UserErrors } from '@lsgmer/datasets';
import { openCheckpoint } from '../../src/checkpoint/checkpoint.ts';
import { CheckpointWeights } from '../../src/checkpoint/checkpoint-weights.ts';
import { buildEncoder } from '../../src/models/build-encoder.ts';
import { type BuiltConfig, isSpeechConfig } from '../../src/models/model-config.ts';
import { parseConfig } from '../../src/models/parse-config.ts';
import { ListingWeights } from '../../src/models/placed-weights.ts';
import { goldenPath } from '../support.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-weights-'));
afterAll(() => rmSync(folder, { recursive: true }));

const configOf = (name: string): BuiltConfig =>
  parseConfig(
    JSON.parse(readFileSync(goldenPath(`checkpoints/${name}/config.json`), 'utf8')),
    name,
  ) as BuiltConfig;

/** @param rename changes the names in the file itself, so that its length must stay */
async function check(name: string, file: string, rename: [string, string] = ['', '']): Promise<string[]> {
  const [from, to] = rename;
  expect(from.length).toBe(to.length);
  const bytes = readFileSync(goldenPath(`checkpoints/${name}/${file}`)).toString('latin1');
  expect(bytes).toContain(from);
  const path = join(folder, `${name}-${file}`);
  writeFileSync(path, Buffer.from(bytes.replace(from, to), 'latin1'));
  const config = configOf(name);
  const listing = new ListingWeights();
  buildEncoder(config, listing);
  return new CheckpointWeights(await openCheckpoint([path]), config.model_type).check(listing.sources);
}

describe('the key sets of whole models', () => {
  it.each([
    ['roberta', 'model.safetensors', ['pooler.dense.bias', 'pooler.dense.weight']],
    [
      'roberta-masked-lm',
      'pytorch_model.bin',
      [
        'lm_head.bias',
        'lm_head.decoder.bias',
        'lm_head.decoder.weight',
        'lm_head.dense.bias',
        'lm_head.dense.weight',
        'lm_head.layer_norm.bias',
        'lm_head.layer_norm.weight',
      ],
    ],
    ['wavlm-layer', 'model.safetensors', ['masked_spec_embed']],
    ['wavlm-group-ctc', 'pytorch_model.bin', ['lm_head.bias', 'lm_head.weight', 'wavlm.masked_spec_embed']],
    [
      'wav2vec2-group-pretraining',
      'model.safetensors',
      [
        'project_hid.bias',
        'project_hid.weight',
        'project_q.bias',
        'project_q.weight',
        'quantizer.codevectors',
        'quantizer.weight_proj.bias',
        'quantizer.weight_proj.weight',
        'wav2vec2.masked_spec_embed',
      ],
    ],
  ])('are used in full, but for what has no influence: %s', async (name, file, ignored) => {
    expect(await check(name, file)).toEqual(ignored);
  });

  it.each([
    [
      'roberta',
      'model.safetensors',
      'encoder.layer.1.output.dense.weight',
      'encoder.layer.1.output.danse.weight',
    ],
    ['roberta', 'model.safetensors', 'embeddings.LayerNorm.bias', 'embeddings.LayerNorm.bios'],
    [
      'roberta-masked-lm',
      'pytorch_model.bin',
      'roberta.encoder.layer.0.output.dense.bias',
      'roberta.encoder.layer.7.output.dense.bias',
    ],
    [
      'wavlm-layer',
      'model.safetensors',
      'encoder.layers.1.attention.gru_rel_pos_const',
      'encoder.layers.1.attention.gru_rel_pos_canst',
    ],
    [
      'wavlm-group-ctc',
      'pytorch_model.bin',
      'encoder.pos_conv_embed.conv.weight_g',
      'encoder.pos_conv_embed.conv.weight_h',
    ],
  ])('fail when one tensor is renamed: %s %s', async (name, file, from, to) => {
    const checked = check(name, file, [from, to]);
    await expect(checked).rejects.toThrow(UserErrors);
    // Both sides of it: what is missing, and what is there instead.
    await expect(checked).rejects.toThrow(/ lacks .* which a \w+ of this configuration needs/);
    await expect(checked).rejects.toThrow(`${to}, which a`);
  });

  it('fail when the configuration is another', async () => {
    const checkpoint = await openCheckpoint([goldenPath('checkpoints/wavlm-layer/model.safetensors')]);
    const against = (config: BuiltConfig) => () => {
      const listing = new ListingWeights();
      buildEncoder(config, listing);
      new CheckpointWeights(checkpoint, config.model_type).check(listing.sources);
    };
    const config = configOf('wavlm-layer');
    if (!isSpeechConfig(config)) throw new Error('no speech configuration');
    expect(against({ ...config, num_hidden_layers: 1 })).toThrow(
      /holds encoder\.layers\.1\.\S+, which a wavlm of this configuration does not use/,
    );
    expect(against({ ...config, intermediate_size: 20 })).toThrow(
      'encoder.layers.0.feed_forward.intermediate_dense.weight has shape [24, 16], expected [20, 16] by config.json',
    );
    // Hundreds of names help nobody.
    const other = configOf('roberta');
    expect(against(other)).toThrow(/and \d+ more of the kind/);
  });
});
