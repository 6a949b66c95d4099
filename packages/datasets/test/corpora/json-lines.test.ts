import { describe, expect, it } from 'vitest';
import { jsonTable, parseJsonLines } from '../../src/corpora/json-lines.ts';

describe('parseJsonLines', () => {
  it('reads objects with their lines, and reports what is none', () => {
    expect(parseJsonLines('{"a":1}\r\n\r\n  \n{"b":[2]}\n7\n{"c"\n')).toEqual({
      lines: [
        { line: 1, value: { a: 1 } },
        { line: 4, value: { b: [2] } },
      ],
      problems: [
        { line: 5, expected: 'a JSON object', found: "'7'" },
        { line: 6, expected: 'a JSON object', found: `'{"c"'` },
      ],
    });
    expect(parseJsonLines('')).toEqual({ lines: [], problems: [] });
  });
});

describe('jsonTable', () => {
  it('joins keys by dots and values of lists by commas, in the order of first appearance', () => {
    const text =
      '{"id":"a","custom":{"emotion":"sad","n":{"deep":true}},"channel":[0,1],"none":null,"words":[{"w":1}],"empty":{}}\n' +
      '{"late":1.5,"id":"b","custom":"x"}';
    expect(jsonTable(parseJsonLines(text))).toEqual({
      columns: ['id', 'custom.emotion', 'custom.n.deep', 'channel', 'none', 'late', 'custom'],
      records: [
        { line: 1, fields: ['a', 'sad', 'true', '0,1', '', '', ''] },
        { line: 2, fields: ['b', '', '', '', '', '1.5', 'x'] },
      ],
      problems: [],
    });
  });
});
