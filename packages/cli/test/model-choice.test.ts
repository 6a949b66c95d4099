import { describe, expect, it } from 'vitest';
import { UserError } from '@lsgmer/datasets';
import { chooseModels, modelPlaces } from '../src/model-choice.ts';

describe('chooseModels', () => {
  it('takes the paper unless something is named', () => {
    const names = (options: Parameters<typeof chooseModels>[0]): string[] => [
      ...chooseModels(options).features.keys(),
    ];
    expect(names({})).toEqual(['roberta-base', 'wavlm-large', 'alexnet-mel']);
    expect(names({ preset: 'tiny' })).toHaveLength(3);
    expect(names({ model: ['a/b', 'c=d/e'] })).toEqual(['b', 'c']);
    expect(names({ preset: 'paper', model: ['a/b'] })).toHaveLength(4);
  });

  it('sets options for all models or for one', () => {
    const { features } = chooseModels({
      model: ['text=a/b', 'voice=c/d'],
      layers: ['voice=0-3,24', 'text=last'],
      pool: ['mean-std'],
      stride: ['voice=2'],
      'special-tokens': ['text=dropped'],
      'final-norm': ['voice=off'],
    });
    expect(features.get('text')).toEqual({
      compute: 'fp32',
      layers: 'last',
      specialTokens: 'dropped',
      stride: 1,
      pool: 'mean-std',
    });
    expect(features.get('voice')).toEqual({
      compute: 'fp32',
      layers: [0, 1, 2, 3, 24],
      finalNorm: false,
      specialTokens: 'kept',
      stride: 2,
      pool: 'mean-std',
    });
  });

  it('says what is expected', () => {
    const choose = (options: Parameters<typeof chooseModels>[0]) => () =>
      chooseModels({ model: ['x=a/b'], ...options });
    expect(choose({ layers: ['3-1'] })).toThrow(UserError);
    expect(choose({ layers: ['3-1'] })).toThrow(
      '--layers 3-1: expected last, a number, a list such as 3,6,9',
    );
    expect(choose({ layers: ['y=1'] })).toThrow('--layers y=1: no model is named y; there are x');
    expect(choose({ pool: ['max'] })).toThrow('--pool max: expected none or mean or mean-std');
    expect(choose({ stride: ['0'] })).toThrow('--stride 0: expected a number of frames from 1 to 100');
    expect(choose({ model: ['a/b', 'c/b'] })).toThrow('two models are named b');
  });
});

describe('modelPlaces', () => {
  it("follows the variables of Hugging Face's tools and of torch", () => {
    const none = modelPlaces({ HF_HOME: '/nowhere/hf' }, false);
    expect(none).toEqual({
      cache: '/nowhere/hf/hub',
      endpoint: 'https://huggingface.co',
      offline: false,
      models: '/nowhere/hf/lsgmer-models',
      torchCache: expect.stringMatching(/torch\/hub\/checkpoints$/) as unknown,
    });
    const all = modelPlaces(
      {
        HF_HOME: '/a',
        HF_HUB_CACHE: '/b',
        HF_ENDPOINT: 'http://mirror/',
        HF_TOKEN: 'hf_x',
        HF_HUB_OFFLINE: '1',
        LSGMER_MODELS: '/c',
        TORCH_HOME: '/d',
      },
      false,
    );
    expect(all).toEqual({
      cache: '/b',
      endpoint: 'http://mirror',
      token: 'hf_x',
      offline: true,
      models: '/c',
      torchCache: '/d/hub/checkpoints',
    });
  });
});
