import type { PublishedRow } from '@lsgmer/train';
import { expect, it } from 'vitest';
import { ablationTable } from '../../src/tables/ablation-table.ts';
import { comparisonTable } from '../../src/tables/comparison-table.ts';
import { tableCsv } from '../../src/tables/csv.ts';
import { madeReport } from '../support/temporary.ts';

const paper = 'A paper, Table I';
const published: PublishedRow[] = [
  { method: 'Other', paper, modality: 'A', scores: { wa: 55.5, ua: 57 } },
  { method: 'LSGMER', paper, modality: 'A+T', scores: { wa: 77.5, ua: 77.9 } },
  { method: 'w/o MA', paper: 'A paper, Table III', modality: 'A+T', scores: { wa: 76.7, ua: 77.4 } },
];
const data = madeReport({
  dataset: 'iemocap',
  variants: ['full', 'no-ma', 'no-joo'],
  utterances: 40,
}).gather();

it('sets published rows before ours, and says that their epoch, seeds and coverage are not known', () => {
  const table = comparisonTable(data, published, undefined);
  expect(table.title).toBe('Beside published results (Table I of the paper)');
  expect(table.caption).toContain('is not known');
  expect(table.notes[0]).toContain('Published rows as printed in A paper, Table I.');
  const theirs = table.rows.filter((row) => row.kind === 'published');
  expect(theirs.map(({ cells }) => cells)).toEqual([
    ['Other (published)', 'A', 55.5, 57, null, 'not known', 'not known', 'not known'],
    ['LSGMER (published)', 'A+T', 77.5, 77.9, null, 'not known', 'not known', 'not known'],
  ]);
  // ours: each variant under the headline rule, the full head under the others
  expect(table.rows.slice(2).map(({ cells, kind }) => [cells[0], cells.at(-2), kind])).toEqual([
    ['full', 'last', 'ours'],
    ['no-ma', 'last', 'ours'],
    ['no-joo', 'last', 'ours'],
    ['full', 'dev', 'ours'],
    ['full', 'oracle-test (ORACLE)', 'oracle'],
  ]);
});

it('sets the paper beside each ablation, with both differences', () => {
  const table = ablationTable(data, published);
  expect(table?.title).toBe('Ablations (Table III of the paper)');
  const [head, ...lines] = tableCsv(table as NonNullable<typeof table>).split('\n');
  expect(head).toContain(
    'ua_difference,ua_difference_sd,seeds,epoch_taken,evaluated_of_expected,published_wa,published_ua,published_ua_difference,row',
  );
  expect(lines[0]).toMatch(/^full,.*,40 of 40,77\.5,77\.9,,ours$/);
  expect(lines[1]).toMatch(/^no-ma,.*,40 of 40,76\.7,77\.4,-0\.5,ours$/);
  expect(lines[2]).toMatch(/^no-joo,.*,40 of 40,,,,ours$/);
  const mean = (row: number, cell: number): number => {
    const value = table?.rows[row]?.cells[cell];
    return typeof value === 'object' && value !== null ? value.mean : NaN;
  };
  expect(mean(1, 4)).toBeCloseTo(mean(1, 2) - mean(0, 2), 10);
});

it('has neither column nor claim of the paper where nothing is published', () => {
  expect(comparisonTable(data, [], undefined).title).toBe('Our results');
  expect(ablationTable(data, [])?.title).toBe('Ablations');
  expect(ablationTable(data, [])?.columns.some(({ key }) => key.startsWith('published'))).toBe(false);
});

it('sets the best possible scores beside ours by modality', () => {
  const table = comparisonTable(data, [], {
    both: { wa: 0.81, ua: 0.8 },
    text: { wa: 0.5, ua: 0.5 },
  });
  expect(table.rows[0]?.cells.slice(5, 7)).toEqual([81, 80]);
});
