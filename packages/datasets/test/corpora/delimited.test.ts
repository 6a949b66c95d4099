import { describe, expect, it } from 'vitest';
import { parseDelimited } from '../../src/corpora/delimited.ts';

const csv = (text: string) => parseDelimited(text, ',', true);
const fields = (text: string) => csv(text).records.map((record) => record.fields);

describe('parseDelimited', () => {
  it('reads RFC 4180: quotes, doubled quotes, delimiters and line ends inside', () => {
    expect(csv('a,b\r\n"x, ""y""","1\r\n2"\r\nc,d')).toEqual({
      records: [
        { line: 1, fields: ['a', 'b'] },
        { line: 2, fields: ['x, "y"', '1\r\n2'] },
        { line: 4, fields: ['c', 'd'] },
      ],
      problems: [],
    });
  });

  it('takes LF, CRLF and CR, skips blank lines, and counts lines all the same', () => {
    expect(csv('a\nb\r\nc\rd\n\n \r\n\re,f\n').records).toEqual([
      { line: 1, fields: ['a'] },
      { line: 2, fields: ['b'] },
      { line: 3, fields: ['c'] },
      { line: 4, fields: ['d'] },
      { line: 8, fields: ['e', 'f'] },
    ]);
  });

  it('trims blanks around fields, not inside quotes', () => {
    expect(fields('  a\u00a0, " b " ,c d\t\n')).toEqual([['a', ' b ', 'c d']]);
    expect(parseDelimited('\t\tx \t y\n', '\t', true).records[0]?.fields).toEqual(['', '', 'x', 'y']);
  });

  it('keeps empty fields and quotes inside unquoted ones', () => {
    expect(fields(',,\n""\n"",\n5" disk,say "x"')).toEqual([
      ['', '', ''],
      ['', ''],
      ['5" disk', 'say "x"'],
    ]);
  });

  it('reports a quote that is never closed, loses only its line, and goes on', () => {
    expect(csv('a,b\n1,"torn\n2,x\n')).toEqual({
      records: [
        { line: 1, fields: ['a', 'b'] },
        { line: 3, fields: ['2', 'x'] },
      ],
      problems: [{ line: 2, expected: 'a closing quote', found: "'torn' to the end of the file" }],
    });
  });

  it('reports text after a closing quote', () => {
    expect(csv('"a" b,c\nd,e')).toEqual({
      records: [{ line: 2, fields: ['d', 'e'] }],
      problems: [{ line: 1, expected: 'a delimiter after the closing quote', found: "'b,c'" }],
    });
  });

  it('can take quotes as they are', () => {
    expect(parseDelimited('"a\tb"c\n', '\t', false).records[0]?.fields).toEqual(['"a', 'b"c']);
  });

  it('reports a field that is too long for one, and goes on behind it', () => {
    const long = 'x'.repeat(10_000_000);
    const { records, problems } = csv(`a,b\n1,"${long}"\n${long},2\n3,"${'y\n'.repeat(40_000)}"\n4,5\n`);
    expect(records.map(({ line, fields }) => [line, ...fields])).toEqual([
      [1, 'a', 'b'],
      [40_005, '4', '5'],
    ]);
    const expected = '65536 characters in a field or fewer';
    expect(problems).toEqual([
      { line: 2, expected, found: `10000000 that begin '"${'x'.repeat(39)}'` },
      { line: 3, expected, found: `10000000 that begin '${'x'.repeat(40)}'` },
      { line: 4, expected, found: `80000 that begin '"y'` },
    ]);
    expect(fields(`${'x'.repeat(65_536)},b`)[0]?.[1]).toBe('b');
  });
});
