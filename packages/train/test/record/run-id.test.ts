import { describe, expect, it } from 'vitest';
import { featureIdentities, type RunIdentity, runId, utterancesDigest } from '../../src/record/run-id.ts';
import { MemorySource, utterances } from '../support/memory-source.ts';

const rows = utterances(6, 2);
const ids = rows.map((row) => row.id);
const identity: RunIdentity = {
  dataset: 'demo',
  task: '4class',
  classes: ['a', 'b'],
  fold: 'Ses01',
  seed: 1,
  head: 'lsgmer',
  config: { d: 32, lr: 5e-4 },
  features: featureIdentities({ text: new MemorySource('words', 4, ids, [2, 5]) }, rows),
  utterances: utterancesDigest({ train: rows.slice(0, 4), dev: [], test: rows.slice(4) }),
  metric: 'ua',
  engine: 'onnx',
  device: 'cpu',
  numerics: 1,
};

describe('run id', () => {
  it('is 12 hex digits that do not depend on the order of keys', () => {
    expect(runId(identity)).toMatch(/^[0-9a-f]{12}$/);
    const reversed = Object.fromEntries(Object.entries(identity).reverse()) as unknown as RunIdentity;
    expect(runId({ ...reversed, config: { lr: 5e-4, d: 32 } })).toBe(runId(identity));
  });

  it('changes with everything that a result depends on', () => {
    const changed = [
      { task: 'x' },
      { classes: ['b', 'a'] },
      { fold: 'Ses02' },
      { seed: 2 },
      { config: { d: 32, lr: 1e-3 } },
      { engine: 'tfjs' },
      { device: 'cuda' },
      { numerics: 2 },
      { utterances: utterancesDigest({ train: rows.slice(0, 3), dev: [], test: rows.slice(4) }) },
      {
        utterances: utterancesDigest({
          train: rows.slice(0, 4).map((r) => ({ ...r, label: 0 })),
          dev: [],
          test: rows.slice(4),
        }),
      },
      { metric: 'wf1' as const },
      {
        utterances: utterancesDigest({
          train: rows.slice(0, 3),
          dev: rows.slice(3, 4),
          test: rows.slice(4),
        }),
      },
      { features: {} },
    ].map((change) => runId({ ...identity, ...change }));
    expect(new Set([...changed, runId(identity)]).size).toBe(changed.length + 1);
  });

  it('sees one changed feature value, and only in the rows that take part', () => {
    const source = new MemorySource('words', 4, ids, [2, 5]);
    const before = featureIdentities({ text: source }, rows.slice(0, 5));
    (source.rows.get(ids[5] as string) as Uint16Array)[0] = 0;
    expect(featureIdentities({ text: source }, rows.slice(0, 5))).toEqual(before);
    (source.rows.get(ids[2] as string) as Uint16Array)[0] = 0;
    expect(featureIdentities({ text: source }, rows.slice(0, 5))).not.toEqual(before);
  });
});
