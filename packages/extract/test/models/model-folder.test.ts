import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '@lsgmer/datasets';
import { isModelFolder, readModel } from '../../src/models/model-folder.ts';
import { makeTinyModel } from '../../src/models/tiny.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-model-'));
afterAll(() => rmSync(folder, { recursive: true }));

let text: string;
let audio: string;
beforeAll(() => {
  text = makeTinyModel('random-tiny-roberta', folder, ['a few words']).folder;
  audio = makeTinyModel('random-tiny-wavlm', folder, []).folder;
});

let copies = 0;
function damaged(from: string, file: string, change: ((content: string) => string) | null): string {
  const copy = join(folder, `copy${copies++}`);
  cpSync(from, copy, { recursive: true });
  const path = join(copy, file);
  if (change === null) rmSync(path);
  else writeFileSync(path, change(readFileSync(path, 'utf8')));
  return copy;
}

describe('readModel', () => {
  it('describes what the fingerprint is made of', () => {
    expect(readModel(audio).features[0]?.computation).toMatchObject({
      version: 2,
      encoder: { model_type: 'wavlm', hidden_size: 96, feat_extract_norm: 'layer' },
      weights: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
      layer: 'last_hidden_state',
      computed: 'float32',
      waveform: 'zero mean, unit variance',
    });
    const roberta = readModel(text);
    expect(roberta.features[0]?.computation).toMatchObject({
      specialTokens: 'kept',
      truncation: { maxTokens: 512 },
    });
    expect(roberta.features[0]?.computation['tokenizer']).toBe(roberta.tokenizer?.digest);
  });

  it('names the file that is missing or wrong', () => {
    expect(() => readModel(join(folder, 'nowhere'))).toThrow(UserError);
    expect(() => readModel(damaged(audio, 'model.onnx', null))).toThrow(/model\.onnx is missing/);
    expect(() => readModel(damaged(text, 'tokenizer.json', null))).toThrow(/tokenizer\.json: cannot be read/);
    expect(() =>
      readModel(damaged(audio, 'config.json', (json) => json.replace('"gelu"', '"relu"'))),
    ).toThrow(/config\.json: "hidden_act"/);
    expect(() => readModel(damaged(audio, 'config.json', () => '{'))).toThrow(/config\.json is not JSON/);
    expect(() =>
      readModel(damaged(audio, 'config.json', (json) => json.replace('"wavlm"', '"whisper"'))),
    ).toThrow(/config\.json: "model_type"/);
    expect(() => readModel(damaged(text, 'tokenizer.json', (json) => `${json} `))).toThrow(
      /tokenizer\.json is not the tokenizer that the model was made with/,
    );
  });

  it('takes a folder for a model once its record is there', () => {
    expect(isModelFolder(audio)).toBe(true);
    expect(isModelFolder(damaged(audio, 'model.json', null))).toBe(false);
  });
});
