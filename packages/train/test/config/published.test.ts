import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parsePublished } from '../../src/config/published.ts';

const folder = new URL('../../../../recipes/published/', import.meta.url);

describe('parsePublished', () => {
  it('reads every committed table, and knows the rows that the recipes are about', () => {
    const tables = readdirSync(folder).map((name) =>
      parsePublished(readFileSync(new URL(name, folder), 'utf8'), name),
    );
    expect(tables.map(({ dataset, task, selection }) => [dataset, task, selection])).toEqual([
      ['iemocap', '4class', 'unknown'],
      ['meld', 'emotion7', 'unknown'],
    ]);
    const scores = (t: number) =>
      ['LSGMER', 'w/o MA', 'w/o JOO', 'w/o LSMA & JOO'].map(
        (method) => tables[t]?.rows.find((row) => row.method === method)?.scores,
      );
    expect(scores(0)).toEqual([
      { wa: 77.5, ua: 77.9 },
      { wa: 76.7, ua: 77.4 },
      { wa: 76.5, ua: 76.9 },
      { wa: 74.1, ua: 75.2 },
    ]);
    expect(scores(1)).toEqual([{ wf1: 62.9 }, { wf1: 62.1 }, { wf1: 61.8 }, { wf1: 60.9 }]);
  });

  it('names everything that is wrong', () => {
    const row = { method: 'X', paper: 'Y', modality: 'V', scores: { wa: 770, f1: 2 } };
    const text = JSON.stringify({ dataset: 'd', task: 't', selection: 'best', source: 's', rows: [row] });
    expect(() => parsePublished(text, 'x.json')).toThrow(
      /x\.json: selection: .*\nx\.json: rows\.0\.modality: .*\nx\.json: rows\.0\.scores\.wa: .*\nx\.json: rows\.0\.scores: /,
    );
    expect(() => parsePublished('{', 'x.json')).toThrow('x.json: not JSON');
    expect(() => parsePublished(text.replace('"wa":770,"f1":2', ''), 'x.json')).toThrow('one score at least');
  });
});
