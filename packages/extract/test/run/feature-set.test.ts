import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fingerprintOf, openFeatureSetWriter } from '@lsgmer/datasets';
import { DEFAULT_DECODE_POLICY } from '../../src/decode/policy.ts';
import type { ModelFeature } from '../../src/models/model-features.ts';
import { makeTinyModel } from '../../src/models/tiny.ts';
import { planFeatures } from '../../src/run/extract.ts';
import { computationOf, featureSpecOf } from '../../src/run/feature-set.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-set-'));
afterAll(() => rmSync(folder, { recursive: true }));

const text = makeTinyModel('random-tiny-roberta', folder, ['one']);
const audio = makeTinyModel('random-tiny-alexnet', folder, []);
const [textFeature, audioFeature] = [text, audio].map((model) => model.features[0] as ModelFeature) as [
  ModelFeature,
  ModelFeature,
];

describe('computationOf', () => {
  it('has the decoding policy for audio, not for text', () => {
    const computation = computationOf(audio, audioFeature, DEFAULT_DECODE_POLICY, 'float16');
    expect(Object.keys(computation).sort()).toEqual([
      'computed',
      'decode',
      'encoder',
      'layer',
      'picture',
      'stored',
      'version',
      'weights',
    ]);
    expect(Object.keys(computationOf(text, textFeature, DEFAULT_DECODE_POLICY, 'float16')).sort()).toEqual([
      'computed',
      'encoder',
      'layer',
      'specialTokens',
      'stored',
      'tokenizer',
      'truncation',
      'version',
      'weights',
    ]);
  });
});

describe('featureSpecOf', () => {
  const options = { dataset: 'd', policy: DEFAULT_DECODE_POLICY, dtype: 'float16' } as const;

  it('names a set by its computation, whatever the provenance', () => {
    const one = featureSpecOf(audio, audioFeature, { ...options, provenance: { node: 'v20' } });
    const two = featureSpecOf(audio, audioFeature, { ...options, provenance: { node: 'v22' } });
    expect(one.fingerprint).toBe(two.fingerprint);
    expect(one.fingerprint).toBe(fingerprintOf(one.computation));
    expect(one).toMatchObject({
      feature: 'random-tiny-alexnet',
      kind: 'audio',
      dim: 224,
      provenance: { node: 'v20' },
    });
    const other = { ...DEFAULT_DECODE_POLICY, channels: 'center' } as const;
    expect(
      featureSpecOf(audio, audioFeature, { ...options, policy: other, provenance: {} }).fingerprint,
    ).not.toBe(one.fingerprint);
    expect(featureSpecOf(text, textFeature, { ...options, policy: other, provenance: {} }).fingerprint).toBe(
      featureSpecOf(text, textFeature, { ...options, provenance: {} }).fingerprint,
    );
  });
});

describe('the name of an import', () => {
  it('is not taken by an extraction', async () => {
    const policy = DEFAULT_DECODE_POLICY;
    const own = featureSpecOf(text, textFeature, { dataset: 'd', policy, dtype: 'float16', provenance: {} });
    const computation = { encoder: 'imported' };
    const imported = { ...own, computation, fingerprint: fingerprintOf(computation) };
    const store = join(folder, 'store');
    const options = { dataset: 'd', root: folder, utterances: [], models: [text], store };
    expect(await planFeatures(options)).toHaveLength(1);
    openFeatureSetWriter({ store, spec: imported, part: 'main' }).close();
    await expect(planFeatures(options)).rejects.toThrow(
      /^d\/random-tiny-roberta holds features that were imported \(random-tiny-roberta@[0-9a-f]{12}\).*--model NAME=SOURCE/,
    );
  });
});
