import { describe, expect, it } from 'vitest';
import { gridSettings, randomSettings, readGrid } from '../../src/config/grid.ts';
import { lsgmer } from '../../src/head/lsgmer.ts';

describe('grids', () => {
  it('are every combination, the last key changing fastest, typed by the options', () => {
    const axes = readGrid(lsgmer, ['lr=1e-4,5e-4', 'gate=scalar, equal', 'label.attention=true']);
    expect(gridSettings(axes)).toEqual([
      { lr: 1e-4, gate: 'scalar', 'label.attention': true },
      { lr: 1e-4, gate: 'equal', 'label.attention': true },
      { lr: 5e-4, gate: 'scalar', 'label.attention': true },
      { lr: 5e-4, gate: 'equal', 'label.attention': true },
    ]);
  });

  it('report everything that is wrong at once', () => {
    expect(() =>
      readGrid(lsgmer, ['epoch=3', 'd=none', 'lr', 'heads=', 'lr=log:0:1', 'gate=equal', 'gate=scalar']),
    ).toThrow(
      [
        '--grid epoch=3: unknown key epoch, the nearest is epochs',
        '--grid d: "none" is not valid, expected integer, 2 or more',
        '--grid lr: expected key=a,b,c, or for --random also key=uniform:0:0.5, key=log:1e-5:1e-3, key=int:16:64',
        '--grid heads=: expected key=a,b,c, or for --random also key=uniform:0:0.5, key=log:1e-5:1e-3, key=int:16:64',
        '--grid lr: a range needs two rising numbers above 0',
        '--grid gate: given twice',
      ].join('\n'),
    );
    expect(() => gridSettings(readGrid(lsgmer, ['lr=log:1e-5:1e-3']))).toThrow(
      '--grid lr: a range needs --random n, how many draws',
    );
  });

  it('are drawn at random from lists and ranges, different ones, equal ones for equal seeds', () => {
    const axes = readGrid(lsgmer, [
      'lr=log:1e-5:1e-3',
      'd=int:16:64',
      'classifier.dropout=uniform:0:0.5',
      'heads=1,2',
    ]);
    const drawn = randomSettings(axes, 200, 1);
    expect(new Set(drawn.map((one) => JSON.stringify(one))).size).toBe(200);
    expect(randomSettings(axes, 50, 1)).toEqual(drawn.slice(0, 50));
    expect(randomSettings(axes, 50, 2)).not.toEqual(drawn.slice(0, 50));
    const values = (key: string): number[] => drawn.map((one) => one[key] as number);
    expect(Math.min(...values('lr'))).toBeGreaterThanOrEqual(1e-5);
    expect(Math.max(...values('lr'))).toBeLessThanOrEqual(1e-3);
    // half of the draws of a log range lie below its geometric middle
    const below = values('lr').filter((lr) => lr < 1e-4).length;
    expect(below).toBeGreaterThan(70);
    expect(below).toBeLessThan(130);
    expect(values('d').every((d) => Number.isInteger(d) && d >= 16 && d <= 64)).toBe(true);
    expect(new Set(values('heads'))).toEqual(new Set([1, 2]));
    expect(() => randomSettings(readGrid(lsgmer, ['heads=1,2']), 3, 1)).toThrow(
      '--random 3: there are 2 combinations only',
    );
  });
});
