import { describe, expect, it } from 'vitest';
import { UserError } from '@lsgmer/datasets';
import { PAPER_MODELS, parseModelRequest } from '../../src/models/model-request.ts';
import { goldenPath } from '../support.ts';

describe('parseModelRequest', () => {
  it('reads the hub, folders, files and addresses', () => {
    expect(parseModelRequest('microsoft/wavlm-large')).toEqual({
      name: 'wavlm-large',
      source: { kind: 'hub', name: 'microsoft/wavlm-large', revision: 'main' },
    });
    expect(parseModelRequest('w2v=facebook/wav2vec2-base@refs/pr/3').source).toEqual({
      kind: 'hub',
      name: 'facebook/wav2vec2-base',
      revision: 'refs/pr/3',
    });
    const path = goldenPath('checkpoints/alexnet/alexnet-tiny.pth');
    expect(parseModelRequest(path)).toEqual({ name: 'alexnet-tiny', source: { kind: 'path', path } });
    expect(parseModelRequest(`mel=${path}`).name).toBe('mel');
    const url = 'https://example.org/a/net-0123abcd.pth?x=1';
    expect(parseModelRequest(url)).toEqual({ name: 'net-0123abcd', source: { kind: 'url', url } });
  });

  it('says what a model can be', () => {
    const read = (text: string) => () => parseModelRequest(text);
    expect(read('roberta-base')).toThrow(UserError);
    expect(read('roberta-base')).toThrow(
      '"roberta-base" is no model: expected a folder or checkpoint that exists',
    );
    expect(read('x=./nothing/here')).toThrow("./nothing/here does not exist: expected a model's folder");
    expect(read('a b=microsoft/wavlm-large')).toThrow('"a b" cannot name a feature');
  });

  it('knows the models of the paper', () => {
    expect(PAPER_MODELS.map(({ name, source }) => [name, source.kind])).toEqual([
      ['roberta-base', 'hub'],
      ['wavlm-large', 'hub'],
      ['alexnet-mel', 'url'],
    ]);
  });
});
