import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { expect, it } from 'vitest';
import { writeExplorer } from '../src/explorer/write-explorer.ts';
import { claimFolder, writeReport } from '../src/write-report.ts';
import { listening, type MadeReport, madeReport, temporaryFolder } from './support/temporary.ts';

const HOSTILE = `</script><script>alert(1)</script><img src=x onerror=alert(1)> "&'`;

function write(made: MadeReport, ask: Parameters<MadeReport['gather']>[0] = {}) {
  const out = temporaryFolder();
  const data = made.gather(ask);
  const reporter = listening();
  const written = writeReport(data, {
    out,
    published: [],
    ceilings: undefined,
    explorer: 'explorer.html',
    footer: 'lsgmer <test>',
    reporter,
  });
  writeExplorer(data, { out, stores: [made.store], report: 'index.html', reporter });
  const list = (folder: string): string[] => readdirSync(join(out, folder)).sort();
  const read = (...path: string[]): string => readFileSync(join(out, ...path), 'utf8');
  return { out, written, list, read, html: read('index.html') };
}

const whole = write(madeReport());

it('writes a page with every table and figure, and each of them as files', () => {
  const { written, list, html, read } = whole;
  const figures = [
    'confusion',
    'gates',
    'label-cosines',
    'label-movement',
    'oracle-curves',
    'projection',
    'reliability',
    'results-by-seed',
    'training-curves',
  ];
  const tables = [
    'ablation',
    'calibration',
    'classes',
    'comparison',
    'differences',
    'folds',
    'gate-weights',
    'hardest',
    'runs',
    'selection',
  ];
  expect(list('figures')).toEqual(figures.map((name) => `${name}.svg`));
  expect(list('tables')).toEqual(
    tables.flatMap((name) => ['csv', 'md', 'tex'].map((kind) => `${name}.${kind}`)),
  );
  expect(written).toMatchObject({ tables: 10, figures: 9, bytes: Buffer.byteLength(html) });
  const { document } = parseHTML(html);
  expect(document.querySelectorAll('figure')).toHaveLength(9);
  expect(document.querySelectorAll('table > caption')).toHaveLength(10);
  // the contents lead to what is there
  for (const link of document.querySelectorAll('nav a[href^="#"]'))
    expect(document.getElementById((link.getAttribute('href') as string).slice(1))).not.toBeNull();
  // files that the page names are there
  for (const link of document.querySelectorAll('.files a'))
    expect(read(link.getAttribute('href') as string)).not.toBe('');
  const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);
  expect(new Set(ids).size).toBe(ids.length);
});

it('loads nothing and runs nothing, whatever a transcript says', () => {
  const { html, read, list } = write(
    madeReport({
      textOf: (i) => `${HOSTILE} ${i}`,
      card: { title: HOSTILE, licence: HOSTILE, restricted: true },
    }),
  );
  for (const page of [html, ...list('figures').map((name) => read('figures', name))]) {
    // what matched, not the page, is what a failure should show
    expect(
      /<(?:script|img|link|iframe|object|embed|form|meta http-equiv="refresh)|url\(|@import/i.exec(page)?.[0],
    ).toBeUndefined();
    expect(/(?:src|href)="(?:https?:)?\/\/[^"]*/.exec(page)?.[0]).toBeUndefined();
    expect(/<[^>]*\son\w+=/.exec(page)?.[0]).toBeUndefined();
  }
  expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  expect(html).toContain('RESTRICTED corpus');
  const explorer = read('explorer.html');
  expect(explorer.match(/<script/g)).toHaveLength(1);
  expect(explorer).toContain('<script src="explorer.js"></script>');
  const index = read('data', 'index.js');
  expect(index).not.toContain('<');
  expect(index).toContain('\\u003c/script>');
});

it('says rule and coverage in every table, figure and file', () => {
  const { html, read, list } = write(madeReport({ missing: ['made/Ses01/u00000', 'made/Ses02/u00001'] }));
  const { document } = parseHTML(html);
  for (const caption of document.querySelectorAll('figcaption'))
    expect(caption.textContent, caption.parentElement?.id).toMatch(/58 of 60|29 of 30/);
  for (const name of [
    ...list('figures').map((file) => join('figures', file)),
    ...list('tables').map((file) => join('tables', file)),
  ]) {
    const text = read(name).replaceAll('{,}', ',');
    expect(text, name).toMatch(/58 of 60|29 of 30/);
    expect(text, name).toMatch(/\blast\b|oracle-test|Every epoch/i);
  }
  expect(html).toContain('NOT COMPARABLE, 58 of 60 test utterances evaluated');
  expect(html).toContain('full [NOT COMPARABLE]');
});

it('says how utterances without features count under each rule', () => {
  const made = madeReport();
  expect(write(made, { missing: 'mask' }).html).toContain(
    'test utterances without features: predicted from the input that is left.',
  );
  expect(write(made, { missing: 'wrong' }).html).toContain(
    'test utterances without features: counted as errors.',
  );
});

it('never shows an oracle number without its name', () => {
  const { read, html } = write(madeReport(), { select: 'oracle-test' });
  const { document } = parseHTML(html);
  for (const table of document.querySelectorAll('table')) {
    const rows = [...table.querySelectorAll('tbody tr')];
    const heads = [...table.querySelectorAll('thead th')].map((one) => one.textContent);
    const at = heads.indexOf('epoch');
    for (const row of rows) {
      const epoch = row.children[at]?.textContent ?? '';
      expect(
        ['last', 'dev', 'oracle-test (ORACLE)'],
        table.querySelector('caption')?.textContent ?? '',
      ).toContain(epoch);
      if (epoch === 'last' || epoch === 'dev') continue;
      expect(row.className).not.toBe('published');
    }
  }
  for (const name of ['comparison', 'folds', 'classes', 'ablation', 'hardest', 'calibration'])
    for (const kind of ['csv', 'md', 'tex'])
      expect(read('tables', `${name}.${kind}`), name).toContain('ORACLE');
  for (const name of ['confusion', 'reliability', 'results-by-seed', 'oracle-curves'])
    expect(read('figures', `${name}.svg`)).toContain('ORACLE');
});

it('shows the gap between the rules for the same training', () => {
  const csv = whole.read('tables', 'selection.csv').split('\n');
  expect(csv[0]).toBe(
    'variant,wa,wa_sd,ua,ua_sd,wf1,wf1_sd,ua_gap_to_last,ua_gap_to_last_sd,seeds,epoch_taken,evaluated_of_expected,row',
  );
  const rows = csv.slice(1, 4).map((line) => line.split(','));
  expect(rows.map((cells) => [cells[0], cells[10], cells[12]])).toEqual([
    ['full', 'last', 'ours'],
    ['full', 'dev', 'ours'],
    ['full', 'oracle-test (ORACLE)', 'oracle'],
  ]);
  const [last, dev] = rows as [string[], string[], string[]];
  expect(Number(dev[7])).toBeCloseTo(Number(dev[3]) - Number(last[3]), 3);
});

it('shows what is incomplete as that, with no number', () => {
  const { html, read } = write(
    madeReport({
      skip: ({ variant, fold }) => (variant === 'no-lsma-joo' && fold === 'Ses02' ? 'absent' : undefined),
    }),
  );
  expect(html).toContain('no-lsma-joo: seed 1 is left out, it lacks Ses02 (no run)');
  const lines = read('tables', 'comparison.csv').split('\n');
  expect(lines).toContain('"no-lsma-joo [INCOMPLETE, not averaged]",A+T,,,,,,,0 of 2,last,–,broken');
  expect(read('tables', 'folds.csv')).toContain('Ses02,,,,,,,0 of 2,last,no finished run,broken');
});

it('shows runs of other features and older numerics as that', () => {
  const { html, read } = write(
    madeReport({
      variants: ['full', 'no-ma', 'no-joo'],
      audioFingerprint: (variant) => (variant === 'no-ma' ? 'e' : 'c').repeat(64),
      skip: ({ variant }) => (variant === 'no-joo' ? 'stale' : undefined),
    }),
  );
  expect(html).toContain(
    'MIXED features, audio: random-tiny-made@cccccccc (full, no-joo); random-tiny-made@eeeeeeee (no-ma)',
  );
  expect(html).toMatch(/no-joo: STALE, of numerics version \d+/);
  const rows = read('tables', 'comparison.csv').split('\n');
  expect(rows.find((line) => line.startsWith('no-joo'))).toMatch(/^no-joo \[STALE\],.*,broken$/);
  // a stale row is in no test of differences, and said to be left out
  expect(read('tables', 'differences.csv')).not.toContain('no-joo');
  expect(read('tables', 'differences.md')).toContain('no-joo \\[STALE\\]');
});

it('keeps itself out of git', () => {
  expect(whole.read('.gitignore').split('\n')).toContain('*');
});

it('takes a folder that is empty, new or its own, and no other', () => {
  const folder = temporaryFolder();
  claimFolder(folder);
  claimFolder(folder);
  claimFolder(join(folder, 'new', 'one'));
  const other = temporaryFolder();
  writeFileSync(join(other, '.gitignore'), 'node_modules\n');
  expect(() => claimFolder(other)).toThrow(
    `${other} holds 1 other files and no report: expected an empty folder`,
  );
  expect(readFileSync(join(other, '.gitignore'), 'utf8')).toBe('node_modules\n');
  const file = join(other, '.gitignore');
  expect(() => claimFolder(file)).toThrow(`cannot write the report into ${file}: `);
});
