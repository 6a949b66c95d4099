import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '@lsgmer/datasets';
import { FEATURE_PRESETS, preparePreset } from '../../src/models/presets.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-preset-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('preparePreset', () => {
  it('makes the tiny encoders', () => {
    const models = preparePreset('tiny', { models: folder, texts: ['some words'] });
    expect(models.map(({ name }) => name)).toEqual([...FEATURE_PRESETS.tiny]);
  });

  it('says which weights the paper needs, and what to try without them', () => {
    const paper = (): unknown => preparePreset('paper', { models: folder, texts: [] });
    expect(paper).toThrow(UserError);
    expect(paper).toThrow(
      /FacebookAI\/roberta-base.*microsoft\/wavlm-large.*alexnet-owt-7be5be79\.pth.*FEATURES=tiny/,
    );
  });

  it('names the presets that there are', () => {
    expect(() => preparePreset('small', { models: folder, texts: [] })).toThrow(
      'unknown feature preset "small": expected tiny or paper',
    );
  });
});
