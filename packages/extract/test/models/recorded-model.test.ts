import { expect, it } from 'vitest';
import type { FeatureSpec } from '@lsgmer/datasets';
import { DEFAULT_FEATURE_OPTIONS } from '../../src/models/feature-options.ts';
import { recordedModel } from '../../src/models/recorded-model.ts';

const spec = (feature: string, model: unknown): FeatureSpec =>
  ({ feature, provenance: { model } }) as unknown as FeatureSpec;

it('recordedModel finds the encoder of one feature, and the one layer that it is', () => {
  const options = { ...DEFAULT_FEATURE_OPTIONS, layers: [0, 12, 24], pool: 'mean' };
  const recorded = recordedModel(
    spec('big.l12.mean', {
      name: 'big',
      source: 'microsoft/wavlm-large@0123456789abcdef0123456789abcdef01234567',
      options,
    }),
  );
  expect(recorded).toEqual({
    model: {
      name: 'big',
      source: {
        kind: 'hub',
        name: 'microsoft/wavlm-large',
        revision: '0123456789abcdef0123456789abcdef01234567',
      },
    },
    options: { ...options, layers: [12] },
  });
  const tiny = { name: 'random-tiny-wavlm', source: null, options: DEFAULT_FEATURE_OPTIONS };
  expect(recordedModel(spec('random-tiny-wavlm', tiny))?.model).toBe('random-tiny-wavlm');
});

it('recordedModel gives up where nothing usable is written down', () => {
  expect(recordedModel(spec('x', undefined))).toBeNull();
  expect(recordedModel(spec('x', { name: 'x', source: null, options: DEFAULT_FEATURE_OPTIONS }))).toBeNull();
  expect(
    recordedModel(spec('x', { name: 'x', source: '/gone', options: DEFAULT_FEATURE_OPTIONS })),
  ).toBeNull();
});
