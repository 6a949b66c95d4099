import {
  cpSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '@lsgmer/datasets';
import { openCheckpoint } from '../../src/checkpoint/checkpoint.ts';
import { DEFAULT_FEATURE_OPTIONS } from '../../src/models/feature-options.ts';
import { findModelFiles, neededFiles } from '../../src/models/model-files.ts';
import { type EncoderModel, readModel } from '../../src/models/model-folder.ts';
import { prepareModel } from '../../src/models/prepare-model.ts';
import { TextTokenizer } from '../../src/tokenizer/text-tokenizer.ts';
import { trainByteLevelBpe } from '../../src/tokenizer/train-bpe.ts';
import { goldenPath } from '../support.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-prepare-'));
afterAll(() => rmSync(folder, { recursive: true }));

let sources = 0;
/** A copy of a golden checkpoint's folder. */
function source(name: string): string {
  const copy = join(folder, `source${sources++}`);
  cpSync(goldenPath(`checkpoints/${name}`), copy, { recursive: true });
  return copy;
}

const models = join(folder, 'models');
const prepare = (name: string, from: string, into = models): Promise<EncoderModel> =>
  prepareModel(name, findModelFiles(from), into);

describe('prepareModel', () => {
  it('points into the checkpoint instead of copying it', async () => {
    const from = source('wavlm-layer');
    const model = await prepare('wavlm', from);
    const [linked, original] = [
      join(model.folder, 'checkpoint-0.safetensors'),
      join(from, 'model.safetensors'),
    ];
    expect(statSync(linked).ino).toBe(statSync(original).ino);
    // The summed gates and the resolved weight norm are all that is written: 2 (2 x 8 + 2) + 16 x 8 x 16 values.
    expect(statSync(join(model.folder, 'weights.bin')).size).toBeLessThan(9000);
    const { placement } = JSON.parse(readFileSync(join(model.folder, 'model.json'), 'utf8')) as {
      placement: { tensors: { [name: string]: [string, number] } };
    };
    const kept = Object.values(placement.tensors).filter(([file]) => file === 'checkpoint-0.safetensors');
    // All but masked_spec_embed, the positional convolution's gain and direction, and two layers' gates.
    expect(kept).toHaveLength((await openCheckpoint([original])).tensors.size - 1 - 2 - 4);
  });

  it('finds what was made, and makes nothing twice', async () => {
    const from = source('hubert-layer');
    const one = await prepare('hubert', from);
    const made = statSync(one.graphPath).mtimeMs;
    expect((await prepare('hubert', from)).folder).toBe(one.folder);
    // The same weights elsewhere, or touched: read again, found to be the same.
    expect((await prepare('hubert', source('hubert-layer'))).folder).toBe(one.folder);
    utimesSync(join(from, 'model.safetensors'), 1, 1);
    expect((await prepare('hubert', from)).folder).toBe(one.folder);
    expect(statSync(one.graphPath).mtimeMs).toBe(made);
    expect(readdirSync(models).filter((name) => name.startsWith('.making'))).toEqual([]);
  });

  it('gives one digest to one set of weights, whatever file they come in', async () => {
    const original = await prepareModel(
      'w',
      findModelFiles(goldenPath('checkpoints/wavlm-original')),
      models,
    );
    const converted = await prepare('w', source('wavlm-layer'));
    expect(original.features[0]?.computation['weights']).toBe(converted.features[0]?.computation['weights']);
    expect(converted.provenance).toMatchObject({
      ignoredWeights: ['masked_spec_embed'],
      model: { name: 'w', options: { layers: 'last' } },
    });
  });

  it('writes further graphs of the same weights when other layers are asked for', async () => {
    const from = source('wav2vec2-layer');
    const plain = await prepare('wav', from);
    const layered = await prepareModel('wav', findModelFiles(from), models, {
      ...DEFAULT_FEATURE_OPTIONS,
      layers: [0, 1],
    });
    expect(layered.folder).toBe(plain.folder);
    expect(layered.graphPath).not.toBe(plain.graphPath);
    expect(layered.features.map(({ computation }) => computation['weights'])).toEqual(
      Array.from({ length: 2 }, () => plain.features[0]?.computation['weights']),
    );
  });

  it('names what a folder lacks', async () => {
    const without = (name: string, file: string): string => {
      const from = source(name);
      unlinkSync(join(from, file));
      return from;
    };
    const refused = (from: string): Promise<unknown> => Promise.resolve().then(() => prepare('x', from));
    await expect(refused(without('wavlm-layer', 'preprocessor_config.json'))).rejects.toThrow(
      /has no preprocessor_config\.json/,
    );
    await expect(refused(without('wavlm-layer', 'config.json'))).rejects.toThrow(/has no config\.json/);
    await expect(refused(without('wavlm-layer', 'model.safetensors'))).rejects.toThrow(
      /has no weights \(model\.safetensors or /,
    );
    await expect(refused(source('roberta'))).rejects.toThrow(
      /has no tokenizer\.json, which a roberta needs here/,
    );
    await expect(refused(without('xlm-roberta-sharded', 'model-00002-of-00002.safetensors'))).rejects.toThrow(
      /index\.json names model-00002-of-00002\.safetensors, which .* lacks/,
    );
    const other = source('wavlm-layer');
    const config = JSON.parse(readFileSync(join(other, 'config.json'), 'utf8')) as object;
    writeFileSync(join(other, 'config.json'), JSON.stringify({ ...config, model_type: 'whisper' }));
    await expect(refused(other)).rejects.toThrow(
      /"model_type": whisper is not built here: expected roberta, /,
    );
    await expect(refused(other)).rejects.toThrow(UserError);
    const hz = source('wavlm-layer');
    writeFileSync(join(hz, 'preprocessor_config.json'), '{"do_normalize": true, "sampling_rate": 22050.5}');
    await expect(refused(hz)).rejects.toThrow(/preprocessor_config\.json: "sampling_rate"/);
  });

  it('builds the tokenizer of a RoBERTa that has only vocab.json and merges.txt', async () => {
    const trained = trainByteLevelBpe(['so so glad to see you', 'so sad to see you go'], 280);
    const from = source('roberta');
    writeFileSync(join(from, 'vocab.json'), JSON.stringify(trained.model.vocab));
    writeFileSync(join(from, 'merges.txt'), ['#version: 0.2', ...trained.model.merges, ''].join('\n'));
    const { tokenizer } = await prepare('old', from);
    const reference = new TextTokenizer(JSON.stringify(trained), 42);
    for (const text of ['so glad', 'a <mask> here', '', '😀 you'])
      expect(tokenizer?.encode(text)).toEqual(reference.encode(text));
    const large = { ...trained.model.vocab, zebra: 300 };
    writeFileSync(join(from, 'vocab.json'), JSON.stringify(large));
    await expect(prepare('old', from)).rejects.toThrow(
      /has token ids up to 300, but the encoder has 300 tokens \(vocab_size\)/,
    );
    writeFileSync(join(from, 'vocab.json'), '{"a": 1}');
    await expect(prepare('old', from)).rejects.toThrow(
      /vocab\.json has no <s>: it is no RoBERTa's vocabulary/,
    );
  });

  it('builds the tokenizer of a BERT that has only vocab.txt', async () => {
    const from = source('bert-legacy');
    unlinkSync(join(from, 'expected.safetensors'));
    const tokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'so', 'gl', '##ad', ',', 'e'];
    writeFileSync(join(from, 'vocab.txt'), `${tokens.join('\n')}\n`);
    const plain = await prepare('vocabulary', from);
    expect([...(plain.tokenizer?.encode('So glad, \u00e9').ids ?? [])]).toEqual([2, 5, 6, 7, 8, 9, 3]);
    // Another setting beside it is another tokenizer, and another model.
    writeFileSync(join(from, 'tokenizer_config.json'), JSON.stringify({ strip_accents: false }));
    const accents = await prepare('vocabulary', from);
    expect([...(accents.tokenizer?.encode('So glad, \u00e9').ids ?? [])]).toEqual([2, 5, 6, 7, 8, 1, 3]);
    expect(accents.features[0]?.computation['tokenizer']).not.toBe(
      plain.features[0]?.computation['tokenizer'],
    );
    expect(neededFiles(new Set(readdirSync(from)), from).sort()).toEqual(readdirSync(from).sort());
  });

  it('says that a made model was damaged', async () => {
    const model = await prepare('damaged', source('hubert-group'), join(folder, 'apart'));
    truncateSync(join(model.folder, 'weights.bin'), 100);
    expect(() => readModel(model.folder)).toThrow(
      /weights\.bin has 100 bytes, expected \d+: remove .*, and the model is made again/,
    );
  });
});
