import { describe, expect, it } from 'vitest';
import { decodeIndexPart, encodeIndexPart, type IndexPart } from '../../src/store/index-part.ts';
import { UNKNOWN_INPUT } from '../../src/store/index-part.ts';
import { type FeatureSetIndex, uniteParts } from '../../src/store/index-union.ts';
import { isNamedByContent, planTransfer } from '../../src/share/transfer-plan.ts';
import { indexPart } from '../store/sample.ts';

const NAME = { dataset: 'd', feature: 'f', fingerprint: 'a'.repeat(64) };
const index = (changes: Partial<IndexPart> = {}): FeatureSetIndex =>
  uniteParts([{ folder: '/store', index: indexPart(changes) }]);
const EMPTY = uniteParts([]);

describe('planTransfer', () => {
  it('takes what the other side lacks, with the shards that hold it and a part that lists it', () => {
    const source = index({
      utterances: { 'd/a': { shard: 0, input: 'x' }, 'd/b': { shard: 1, input: 'y', revision: 2 } },
      quarantined: { 'd/c': { reason: 'too short', input: 'z' } },
    });
    const plan = planTransfer(NAME, source, EMPTY);
    expect(plan).toMatchObject({ rows: 2, there: 0, otherInput: [], thereShards: [] });
    expect(plan.shards.map(({ entry, folder }) => [entry.sha256[0], folder])).toEqual([
      ['1', '/store'],
      ['2', '/store'],
    ]);
    const part = plan.part as IndexPart;
    expect(part.utterances).toEqual({
      'd/a': { shard: 0, input: 'x' },
      'd/b': { shard: 1, input: 'y', revision: 2 },
    });
    expect(part.quarantined).toEqual({ 'd/c': { reason: 'too short', input: 'z' } });
    expect(part.part).toMatch(/^p-[0-9a-f]{16}$/);
    expect(isNamedByContent(decodeIndexPart(Buffer.from(encodeIndexPart(part)), 'x'))).toBe(true);
    expect(isNamedByContent({ ...part, quarantined: {} })).toBe(false);
    expect(planTransfer(NAME, source, uniteParts([{ folder: '', index: part }]))).toMatchObject({
      rows: 0,
      part: null,
    });
  });

  it('leaves rows of equal revision as they are there, and lets a later revision win', () => {
    const source = index({
      utterances: {
        'd/same': { shard: 0, input: 'x' },
        'd/other': { shard: 0, input: 'mine' },
        'd/newer': { shard: 0, input: 'n', revision: 1 },
        'd/older': { shard: 0, input: 'o' },
        'd/unknown': { shard: 1, input: 'k' },
        'd/failed': { shard: 1, input: 'f', revision: 1 },
      },
    });
    const target = index({
      utterances: {
        'd/same': { shard: 1, input: 'x' },
        'd/other': { shard: 1, input: 'theirs' },
        'd/newer': { shard: 1, input: 'n0' },
        'd/older': { shard: 1, input: 'o1', revision: 1 },
        'd/unknown': { shard: 1, input: UNKNOWN_INPUT },
      },
      quarantined: { 'd/failed': { reason: 'r', input: 'g', revision: 2 } },
    });
    const plan = planTransfer(NAME, source, target);
    expect(Object.keys(plan.part?.utterances ?? {}).sort()).toEqual(['d/newer', 'd/unknown']);
    expect(plan).toMatchObject({ rows: 2, there: 3, otherInput: ['d/other'] });
  });

  it('takes some splits or some ids only', () => {
    const [a, b] = indexPart().shards;
    const source = index({
      shards: [
        { ...(a as never as object), split: 'train' } as never,
        { ...(b as never as object), split: 'dev' } as never,
      ],
      utterances: { 'd/t': { shard: 0, input: 'x' }, 'd/d': { shard: 1, input: 'y' } },
      quarantined: { 'd/q': { reason: 'r', input: 'z' } },
    });
    const splitOf = (id: string): string | null => (id === 'd/q' ? 'dev' : null);
    const dev = planTransfer(NAME, source, EMPTY, { splits: ['dev'], splitOf });
    expect([Object.keys(dev.part?.utterances ?? {}), Object.keys(dev.part?.quarantined ?? {})]).toEqual([
      ['d/d'],
      ['d/q'],
    ]);
    expect(dev.shards).toHaveLength(1);
    expect(planTransfer(NAME, source, EMPTY, { splits: ['train'], splitOf }).part?.quarantined).toEqual({});
    expect(planTransfer(NAME, source, EMPTY, { ids: new Set(['d/t']) })).toMatchObject({ rows: 1 });
    expect(() => planTransfer(NAME, source, EMPTY, { splits: ['tset'] })).toThrow(
      /no split tset: it has dev, train/,
    );
    expect(() =>
      planTransfer(NAME, index({ utterances: { 'd/a': { shard: 0, input: 'x' } } }), EMPTY, {
        splits: ['dev'],
      }),
    ).toThrow(/has no splits/);
  });
});
