import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCatalogue } from '../../src/catalogue/catalogue.ts';
import { scoreGroup } from '../../src/catalogue/group-scores.ts';
import { groupRuns } from '../../src/catalogue/run-group.ts';
import { tidyPredictions, tidyScores, toCsv } from '../../src/catalogue/tidy.ts';
import { predictionsOf, writeRunFolder } from '../support/run-folders.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lsgmer-tidy-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function scores() {
  const predictions = predictionsOf(['demo/a', 'demo/b'], [0, 1], [0, 3]);
  const full = writeRunFolder(root, { predictions, folds: ['Ses01'] });
  const other = writeRunFolder(root, { predictions, variant: 'no-ma', config: { 'ma.alpha': 0 }, seed: 4 });
  writeRunFolder(root, { seed: 2 });
  const groups = groupRuns(readCatalogue(root).entries);
  return { full, other, rows: groups.map((group) => scoreGroup(group, { select: 'last', missing: 'drop' })) };
}

describe('tidy tables', () => {
  it('have one line per run, rule and metric, the configuration as columns', () => {
    const { full, other, rows } = scores();
    const { columns, rows: lines } = tidyScores(rows);
    const at = (line: number, column: string) => lines[line]?.[columns.indexOf(column)];
    expect(lines).toHaveLength(8);
    expect([0, 4].map((i) => at(i, 'run'))).toEqual([full, other]);
    expect([0, 1, 2, 3].map((i) => [at(i, 'metric'), at(i, 'value')])).toEqual([
      ['wa', 0.5],
      ['ua', 0.5],
      ['wf1', 0.5],
      ['mf1', 1 / 3],
    ]);
    expect(at(4, 'seed')).toBe(4);
    expect([at(0, 'config.ma.alpha'), at(4, 'config.ma.alpha')]).toEqual([null, 0]);
    expect(at(0, 'feature.text')).toBe(`roberta-base@${'a'.repeat(64)}`);
    expect([at(0, 'evaluated'), at(0, 'expected'), at(0, 'epoch_taken')]).toEqual([2, 2, 'last']);
  });

  it('hold every prediction', () => {
    const { columns, rows: lines } = tidyPredictions(scores().rows);
    expect(columns.slice(-4)).toEqual(['p_angry', 'p_happy', 'p_neutral', 'p_sad']);
    expect(lines).toHaveLength(4);
    expect(lines[1]?.slice(-6)).toEqual(['happy', 'sad', 0, 0, 0, 1]);
  });

  it('become CSV with quotes where they must be', () => {
    const text = toCsv({
      columns: ['a', 'b'],
      rows: [
        ['x, "y"', null],
        [0.1, 'two\nlines'],
      ],
    });
    expect(text).toBe('a,b\n"x, ""y""",\n0.1,"two\nlines"\n');
  });
});
