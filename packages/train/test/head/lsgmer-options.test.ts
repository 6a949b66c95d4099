import { UserErrors } from '@lsgmer/datasets';
import { describe, expect, it } from 'vitest';
import { problemOf } from '../../src/config/option.ts';
import type { HeadConfig, OptionSpec } from '../../src/head/contract.ts';
import { checkOptions, LSGMER_OPTIONS, readOptions } from '../../src/head/lsgmer-options.ts';
import { cases } from '../support/head-golden.ts';

const DIMS = { text: 768, audio: 1024, map: 1792 };
const SPECS: readonly OptionSpec[] = LSGMER_OPTIONS;

describe('LSGMER_OPTIONS', () => {
  it('has valid defaults and each key once', () => {
    for (const spec of SPECS) expect(problemOf(spec, spec.default)).toBeUndefined();
    expect(new Set(SPECS.map(({ key }) => key)).size).toBe(SPECS.length);
  });

  it('says where each option comes from and what it does, in one sentence', () => {
    for (const { source, help } of SPECS) {
      expect(source).toMatch(/^(own|Eq\. \d+(, \d+|-\d+)?)$/);
      expect(help).toMatch(/^.{10,}\.$/);
    }
  });

  it('lists no value that PyTorch has not confirmed', () => {
    // label.init only sets where training starts, ma.evaluate only what a score is computed with: unit tests
    // loss.focal: golden in loss.test.ts, and with the other heads in registry.test.ts
    const elsewhere = ['label.init', 'ma.evaluate', 'loss.focal'];
    const confirmed = new Set(
      cases.flatMap(({ config }) => Object.entries(config).map((pair) => pair.join('='))),
    );
    for (const { key, type, default: standard } of SPECS) {
      if (elsewhere.includes(key)) continue;
      if (typeof type === 'string') {
        const other = cases.some(({ config }) => key in config && config[key] !== standard);
        expect(other, `${key} at another value than its default`).toBe(true);
      } else for (const value of type) if (value !== standard) expect(confirmed).toContain(`${key}=${value}`);
    }
  });
});

describe('readOptions', () => {
  it('fills in defaults and leaves the keys of others alone', () => {
    const options = readOptions({ 'label.reduce': 'concat', epochs: 50 });
    expect(options['label.reduce']).toBe('concat');
    expect(options['ma.alpha']).toBe(0.99);
    expect(Object.keys(options)).not.toContain('epochs');
  });
});

describe('checkOptions', () => {
  const problems = (config: HeadConfig, dims = DIMS, classes = 4): readonly string[] => {
    try {
      checkOptions(config, dims, classes);
      return [];
    } catch (error) {
      expect(error).toBeInstanceOf(UserErrors);
      return (error as UserErrors).problems;
    }
  };

  it('accepts the defaults and features that are not used', () => {
    expect(problems({})).toEqual([]);
    expect(problems({ modality: 'text' }, { text: 768, audio: 0, map: 0 })).toEqual([]);
    expect(problems({ modality: 'audio', 'audio.alexnet': 'none' }, { text: 0, audio: 9, map: 0 })).toEqual(
      [],
    );
    expect(problems({ modality: 'audio', d: 15, heads: 3 })).toEqual([]);
  });

  it('finds everything that does not fit together at once', () => {
    expect(
      problems({ d: 15, heads: 4, 'audio.alexnet': 'broadcast' }, { text: 0, audio: 0, map: 20 }, 1),
    ).toEqual([
      'heads: 4 does not divide d = 15; choose heads that do',
      'd: found 15, expected an even number (half of it per direction of the BiLSTM)',
      'modality: needs text features and none were given; add one or set modality=audio',
      'modality: needs audio features and none were given; add one or set modality=text',
      'audio.alexnet: broadcast needs map steps of channels x 7 rows, found 20 values',
      'classes: found 1, expected at least 2',
    ]);
    expect(problems({}, { text: 1, audio: 1, map: 0 })).toEqual([
      'audio.alexnet: needs a spectrogram map and none was given; add one or set audio.alexnet=none',
    ]);
  });
});
