import { describe, expect, it } from 'vitest';
import { columnSteps, frameSteps, predictCosts, tokenSteps } from '../../src/manifest/stats-cost.ts';
import { row } from '../support.ts';

const media = (seconds: number | null) => ({
  path: 'x',
  sha256: null,
  seconds,
  sampleRate: null,
  channels: null,
});
const models = [
  { feature: 'text', dim: 768, steps: 'tokens', perCoreSecond: 10 },
  { feature: 'audio', dim: 1024, steps: 'frames', perCoreSecond: 2 },
  { feature: 'map', dim: 1792, steps: 'columns', perCoreSecond: 5 },
] as const;

describe('steps', () => {
  it('are those that the encoders make', () => {
    // transformers' WavLM: 48,000 samples give 149 frames, 16,000 give 49, 400 give 1
    expect([3, 1, 0.025, 0].map(frameSteps)).toEqual([149, 49, 1, 1]);
    // torchvision's AlexNet features on 384, 1,280 and 63 columns
    expect([3, 10, 0.1].map(columnSteps)).toEqual([11, 39, 1]);
    expect(tokenSteps('')).toBe(4);
    expect(tokenSteps('one two three four five six')).toBe(11);
  });
});

describe('predictCosts', () => {
  it('adds up steps, float16 bytes and core seconds', () => {
    const rows = [row('d/a', { media: media(3), text: 'a b c' }), row('d/b', { media: media(1), text: '' })];
    expect(predictCosts(models, rows)).toEqual([
      { feature: 'text', dim: 768, rows: 2, annotated: 0, steps: 12, bytes: 12 * 768 * 2, coreSeconds: 1.2 },
      { feature: 'audio', dim: 1024, rows: 2, annotated: 0, steps: 198, bytes: 198 * 2048, coreSeconds: 2 },
      { feature: 'map', dim: 1792, rows: 2, annotated: 0, steps: 14, bytes: 14 * 3584, coreSeconds: 0.8 },
    ]);
  });

  it('takes annotated times for recordings that were not read, and nothing for those that are missing', () => {
    const tags = { season: '1', episode: '1', start: '00:00:01,000', end: '00:00:04,000' };
    const rows = [
      row('d/a', { media: media(null), tags }),
      row('d/b', { media: null, tags }),
      row('d/c', { media: media(null) }),
      row('d/d', { media: media(1), tags }),
    ];
    expect(predictCosts(models, rows)[1]).toMatchObject({ rows: 2, annotated: 1, steps: 149 + 49 });
  });
});
