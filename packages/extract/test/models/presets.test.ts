import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError, silent } from '@lsgmer/datasets';
import { DEFAULT_FEATURE_OPTIONS } from '../../src/models/feature-options.ts';
import { parseModelRequest } from '../../src/models/model-request.ts';
import {
  FEATURE_PRESETS,
  type PrepareOptions,
  prepareModels,
  presetModels,
} from '../../src/models/presets.ts';
import { goldenPath } from '../support.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-preset-'));
afterAll(() => rmSync(folder, { recursive: true }));

const prepare: PrepareOptions = {
  places: {
    cache: join(folder, 'hub'),
    endpoint: 'http://127.0.0.1:9',
    offline: true,
    models: join(folder, 'models'),
    torchCache: join(folder, 'torch'),
  },
  tinyModels: join(folder, 'tiny'),
  texts: ['some words'],
  reporter: silent,
};

describe('prepareModels', () => {
  it('makes the tiny encoders', async () => {
    const models = await prepareModels(presetModels('tiny'), prepare);
    expect(models.map(({ name }) => name)).toEqual([...FEATURE_PRESETS.tiny]);
  });

  it('says of every encoder of the paper what is missing, from where and to where, and what works without', async () => {
    const paper = prepareModels(presetModels('paper'), prepare);
    await expect(paper).rejects.toThrow(UserError);
    const { problems } = (await paper.catch((error: unknown) => error)) as { problems: string[] };
    expect(problems).toHaveLength(4);
    expect(problems[0]).toMatch(
      /^roberta-base: FacebookAI\/roberta-base@main is not in .*hub\/models--FacebookAI--roberta-base/,
    );
    expect(problems[1]).toMatch(
      /^wavlm-large: .*fetch config\.json, the weights .* from http:\/\/127\.0\.0\.1:9\/microsoft\/wavlm-large/,
    );
    expect(problems[2]).toMatch(
      /^alexnet-mel: .*torch\/alexnet-owt-7be5be79\.pth is missing.* fetch it from https:\/\/download\.pytorch\.org/,
    );
    expect(problems[3]).toMatch(/^FEATURES=tiny/);
  });

  it('makes the features that each model is asked for', async () => {
    const request = parseModelRequest(`voice=${goldenPath('checkpoints/wavlm-layer')}`);
    const [model] = await prepareModels([request, 'random-tiny-wavlm'], {
      ...prepare,
      options: new Map([['voice', { ...DEFAULT_FEATURE_OPTIONS, layers: [1, 2], pool: 'mean-std' }]]),
    });
    expect(model?.features.map(({ name, dim }) => [name, dim])).toEqual([
      ['voice.l1.mean-std', 32],
      ['voice.l2.mean-std', 32],
    ]);
  });

  it('names the presets that there are', () => {
    expect(() => presetModels('small')).toThrow('unknown feature preset "small": expected tiny or paper');
  });
});
