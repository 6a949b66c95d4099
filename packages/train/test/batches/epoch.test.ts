import { describe, expect, it } from 'vitest';
import { Rng } from '@lsgmer/datasets';
import { balancedItems, planEpoch, planPass } from '../../src/batches/epoch.ts';
import { chooseShapes, covers, type Lengths } from '../../src/batches/shapes.ts';

const limits = { batchSize: 16, batchFrames: 1600, batchShapes: 4 };
const rng = Rng.for('lengths');
const lengths: Lengths[] = Array.from({ length: 211 }, () => {
  const audio = 20 + rng.int(200);
  return { text: 2 + Math.floor(audio / 10), audio, map: 1 + Math.floor(audio / 12) };
});
const shapes = chooseShapes(lengths, limits);
const by = { batchSize: 16, batchBlock: 1 };
const items = lengths.map((_, i) => i).filter((i) => i % 10 !== 0);

describe('planEpoch', () => {
  const updates = planEpoch(items, lengths, shapes, by, 7, 3);

  it('takes every item once, in a shape that covers it', () => {
    const seen = updates.flatMap((update) => update.micro.flatMap((micro) => micro.items));
    expect([...seen].sort((a, b) => a - b)).toEqual(items);
    for (const { micro } of updates) {
      for (const { shape, items } of micro) {
        expect(items.length).toBeLessThanOrEqual(shape.rows);
        expect(items.every((item) => covers(shape, lengths[item] as Lengths))).toBe(true);
      }
    }
  });

  it('has one small update, as one shape covers all', () => {
    expect(updates.map((update) => update.rows).filter((rows) => rows !== 16)).toEqual([items.length % 16]);
    for (const update of updates) {
      expect(update.rows).toBe(update.micro.reduce((sum, micro) => sum + micro.items.length, 0));
      expect(new Set(update.micro.map((micro) => micro.shape)).size).toBe(1);
    }
  });

  it('cuts updates of long utterances into micro-batches below the limit of frames', () => {
    const long = updates.filter((update) => update.micro.length > 1);
    expect(long.length).toBeGreaterThan(0);
    for (const { micro } of updates) {
      for (const { shape } of micro) expect(shape.rows * shape.audio).toBeLessThanOrEqual(1600);
    }
  });

  it('is equal for equal seed and epoch, and another for others', () => {
    expect(planEpoch(items, lengths, shapes, by, 7, 3)).toEqual(updates);
    expect(planEpoch(items, lengths, shapes, by, 7, 4)).not.toEqual(updates);
    expect(planEpoch(items, lengths, shapes, by, 8, 3)).not.toEqual(updates);
  });

  it('mixes lengths over the epoch and members over batches', () => {
    const order = updates.map((update) => shapes.indexOf(update.micro[0]?.shape as never));
    expect(order).not.toEqual([...order].sort((a, b) => a - b));
    const partners = (epoch: number): string => {
      const plan = planEpoch(items, lengths, shapes, by, 7, epoch);
      const mine = plan.find((update) => update.micro.some((micro) => micro.items.includes(11)));
      return String(mine?.micro.flatMap((micro) => [...micro.items]).sort((a, b) => a - b));
    };
    expect(new Set([0, 1, 2, 3].map(partners)).size).toBe(4);
  });

  it('keeps updates of one shape together in blocks', () => {
    const changes = (batchBlock: number): number => {
      const plan = planEpoch(items, lengths, shapes, { batchSize: 4, batchBlock }, 7, 3);
      const order = plan.map((update) => update.micro[0]?.shape);
      return order.filter((shape, i) => i > 0 && shape !== order[i - 1]).length;
    };
    expect(changes(100)).toBe(shapes.length - 1);
    expect(changes(4)).toBeLessThan(0.5 * changes(1));
  });

  it('refuses an item that no shape covers', () => {
    const tooLong = [{ text: 1, audio: 10_000, map: 1 }];
    expect(() => planEpoch([0], tooLong, shapes, by, 1, 0)).toThrow(
      'no shape covers {"text":1,"audio":10000,"map":1}',
    );
  });
});

describe('planPass', () => {
  it('takes every item once without a random number', () => {
    const pass = planPass(items, lengths, shapes);
    expect(pass.flatMap((micro) => [...micro.items]).sort((a, b) => a - b)).toEqual(items);
    expect(planPass(items, lengths, shapes)).toEqual(pass);
    const small = pass.filter((micro) => micro.items.length < micro.shape.rows);
    expect(small.length).toBeLessThanOrEqual(1);
  });
});

describe('balancedItems', () => {
  const items = Array.from({ length: 100 }, (_, i) => i);
  // 80, 15 and 5 of a class
  const labelOf = (item: number): number => (item < 80 ? 0 : item < 95 ? 1 : 2);
  const counts = (chosen: readonly number[]): number[] =>
    [0, 1, 2].map((k) => chosen.filter((item) => labelOf(item) === k).length);

  it('gives each class the same share of as many draws as there are items', () => {
    const totals = [0, 1, 2].map((epoch) => counts(balancedItems(items, labelOf, 7, epoch)));
    expect(totals.map((one) => one.reduce((a, b) => a + b, 0))).toEqual([100, 100, 100]);
    expect(totals.flat().every((n) => n === 33 || n === 34)).toBe(true);
    // what does not divide evenly goes round
    expect([0, 1, 2].map((k) => totals.reduce((sum, one) => sum + (one[k] as number), 0))).toEqual([
      100, 100, 100,
    ]);
  });

  it('repeats no item of a class before all were there, leaves out others each epoch, follows the seed', () => {
    const [one, two] = [0, 1].map((epoch) => balancedItems(items, labelOf, 7, epoch));
    for (const item of items.filter((i) => labelOf(i) === 2))
      expect([6, 7]).toContain(one?.filter((other) => other === item).length);
    const large = (chosen: number[] | undefined) => new Set(chosen?.filter((item) => labelOf(item) === 0));
    expect(large(one).size).toBeGreaterThanOrEqual(33);
    expect(large(one)).not.toEqual(large(two));
    expect(balancedItems(items, labelOf, 7, 0)).toEqual(one);
    expect(balancedItems(items, labelOf, 8, 0)).not.toEqual(one);
  });
});
