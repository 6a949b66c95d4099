import { expect, it } from 'vitest';
import { tableCsv } from '../../src/tables/csv.ts';
import { tableHtml } from '../../src/tables/html-table.ts';
import { latexText, tableLatex } from '../../src/tables/latex.ts';
import { markdownText, tableMarkdown } from '../../src/tables/markdown.ts';
import { cellText, coverageText, grouped, type Table } from '../../src/tables/table.ts';

const HOSTILE = `<script>alert("1")</script> | 100 % & $x_1$ \\input{a} {~^}`;

const table: Table = {
  id: 'example',
  title: 'An <i>example</i>',
  caption: `Of ${HOSTILE}`,
  notes: ['one & two'],
  columns: [
    { key: 'name', head: 'name', kind: 'text' },
    { key: 'n', head: 'n', kind: 'count' },
    { key: 'ua', head: 'UA', kind: 'measure' },
    { key: 'gap', head: 'gap', kind: 'measure', signed: true },
    { key: 'text', head: 'text', kind: 'long' },
  ],
  rows: [
    { cells: ['full', 5531, { mean: 72.849, sd: 1.25 }, { mean: 0.44, sd: null }, 'plain'] },
    { kind: 'oracle', cells: ['=1+1', 12, { mean: 1, sd: null }, -0.04, HOSTILE], href: 'a.html#"x"' },
    { kind: 'broken', cells: ['lost', null, null, null, 'two\nlines, "quoted"'] },
  ],
};

it('writes numbers as people read them', () => {
  expect([grouped(12), grouped(5531), grouped(1234567)]).toEqual(['12', '5,531', '1,234,567']);
  expect(coverageText(2600, 2610)).toBe('2,600 of 2,610');
  const column = { key: 'x', head: 'x', kind: 'measure' } as const;
  expect(cellText({ mean: 72.849, sd: 1.25 }, column)).toBe('72.8 ± 1.3');
  expect(cellText(NaN, column)).toBe('–');
  expect(cellText(-0.04, column)).toBe('0.0');
  expect(cellText(0.44, { ...column, signed: true })).toBe('+0.4');
  expect(cellText({ mean: -2, sd: 1 }, { ...column, signed: true, digits: 2 })).toBe('-2.00 ± 1.00');
  expect(cellText(null, column)).toBe('–');
});

it('writes CSV with a spread of its own column, the kind of each row, and nothing that runs in a spreadsheet', () => {
  expect(tableCsv(table)).toBe(
    [
      'name,n,ua,ua_sd,gap,text,row',
      'full,5531,72.849,1.25,0.44,plain,ours',
      `'=1+1,12,1,,-0.04,"<script>alert(""1"")</script> | 100 % & $x_1$ \\input{a} {~^}",oracle`,
      'lost,,,,,"two\nlines, ""quoted""",broken',
      '',
    ].join('\n'),
  );
});

it('writes Markdown in which nothing is markup', () => {
  const text = tableMarkdown(table);
  expect(text.split('\n')[2]).toBe('| name | n | UA | gap | text |');
  expect(text.split('\n')[3]).toBe('| :-- | --: | --: | --: | :-- |');
  expect(text).toContain('| full | 5,531 | 72.8 ± 1.3 | +0.4 | plain |');
  expect(text).not.toContain('<');
  expect(text).toContain('two lines');
  // borders of columns are the only bars that are not escaped
  for (const line of text.split('\n').slice(2, 7)) expect(line.match(/(?<!\\)\|/g), line).toHaveLength(6);
  expect(markdownText('a*b_c`d`[e](f)')).toBe('a\\*b\\_c\\`d\\`\\[e\\](f)');
});

it('writes LaTeX for booktabs in which nothing is a command', () => {
  const text = tableLatex(table);
  expect(text).toContain('\\begin{tabular}{lrrrp{0.3\\linewidth}}');
  expect(text).toContain('full & $5{,}531$ & $72.8 \\pm 1.3$ & $+0.4$ & plain \\\\');
  for (const rule of ['toprule', 'midrule', 'bottomrule']) expect(text).toContain(`\\${rule}`);
  expect(text).not.toContain('\\input');
  expect(latexText('50 % of a_b & {c} ~ ^ \\ # $ <a> – ±')).toBe(
    '50 \\% of a\\_b \\& \\{c\\} \\textasciitilde{} \\textasciicircum{} \\textbackslash{} \\# \\$ \\textless{}a\\textgreater{} -- $\\pm$',
  );
  // quotes that LaTeX would take for something else
  expect(latexText('say "no"')).toBe('say \\textquotedbl{}no\\textquotedbl{}');
});

it('writes a semantic HTML table and escapes every text', () => {
  const html = tableHtml(table);
  expect(html).toContain('<caption>');
  expect(html.match(/<th scope="col"/g)).toHaveLength(5);
  expect(html.match(/<th scope="row"/g)).toHaveLength(3);
  expect(html).toContain('<tr class="oracle">');
  expect(html).not.toContain('<script');
  expect(html).toContain('&lt;script&gt;');
  expect(html).toContain('href="a.html#&quot;x&quot;"');
});
