import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { describeSchema, diffSpecs, parseSpec, shardSchema } from '../../src/store/shard-schema.ts';
import { sampleSpec } from './sample.ts';

describe('shardSchema', () => {
  it('has the columns of the design', () => {
    expect(describeSchema(shardSchema(sampleSpec({ kind: 'text', dim: 768 }), 'float16', 'train'))).toBe(
      'utterance_id: utf8, n: int32, features: list<fixed_size_list<float16>[768]>, ' +
        'token_ids: list<int32>, token_spans: list<int32>, xxh64: uint64',
    );
    expect(describeSchema(shardSchema(sampleSpec({ dim: 1024 }), 'float32', null))).toBe(
      'utterance_id: utf8, n: int32, features: list<fixed_size_list<float32>[1024]>, xxh64: uint64',
    );
  });

  it('says version, split and specification', () => {
    const spec = sampleSpec();
    const { metadata } = shardSchema(spec, 'float16', 'train');
    expect(metadata.get('lsgmer.format')).toBe('1');
    expect(metadata.get('lsgmer.split')).toBe('train');
    expect(parseSpec(metadata.get('lsgmer.spec') ?? '', 'here')).toEqual(spec);
    expect(shardSchema(spec, 'float16', null).metadata.has('lsgmer.split')).toBe(false);
  });
});

describe('parseSpec', () => {
  const text = (changes: object): string => JSON.stringify({ ...sampleSpec(), ...changes });

  it('refuses a newer format, naming the version', () => {
    expect(() => parseSpec(text({ format: 2, surprise: 1 }), 'x/feature.json')).toThrow(
      new UserError(
        'x/feature.json was written in format 2, and this lsgmer reads up to format 1: update lsgmer',
      ),
    );
  });

  it('names what is wrong', () => {
    expect(() => parseSpec('{', 'x/feature.json')).toThrow(
      'x/feature.json is damaged: it is not JSON; run `lsgmer features repair`',
    );
    expect(() => parseSpec('null', 'x/feature.json')).toThrow('x/feature.json is damaged');
    expect(() => parseSpec(text({ dim: 0 }), 'x/feature.json')).toThrow('x/feature.json is damaged: "dim":');
  });
});

describe('diffSpecs', () => {
  it('compares everything but provenance', () => {
    const spec = sampleSpec();
    expect(diffSpecs(spec, { ...spec, provenance: { threads: 8 } })).toEqual([]);
    expect(diffSpecs(spec, { ...spec, dim: 16, stepSeconds: 0.01 })).toEqual([
      { key: 'dim', old: 8, new: 16 },
      { key: 'stepSeconds', old: 0.02, new: 0.01 },
    ]);
  });
});
