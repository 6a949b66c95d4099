import { describe, expect, it } from 'vitest';
import { ABLATIONS, withAblation } from '../../src/head/ablations.ts';
import { LSGMER_OPTIONS } from '../../src/head/lsgmer-options.ts';
import { goldenCase } from '../support/head-golden.ts';

describe('ablations', () => {
  it.each(['no-ma', 'no-joo', 'no-lsma-joo'] as const)('%s is what the PyTorch twin confirms', (name) => {
    expect({ d: 16, ...ABLATIONS[name] }).toEqual(goldenCase(name).config);
  });

  it('are laid over a configuration and leave it as it is', () => {
    const config = { 'loss.apc': 0.1, heads: 8 };
    expect(withAblation(config, 'no-joo')).toEqual({ 'loss.apc': 0, heads: 8 });
    expect(withAblation(config, 'full')).toEqual(config);
    expect(config['loss.apc']).toBe(0.1);
  });

  it('set known options only', () => {
    const known = LSGMER_OPTIONS.map(({ key }) => key as string);
    for (const settings of Object.values(ABLATIONS))
      for (const key of Object.keys(settings)) expect(known).toContain(key);
  });
});
