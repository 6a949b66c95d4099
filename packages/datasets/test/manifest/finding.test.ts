import { describe, expect, it } from 'vitest';
import { describeFinding, sortFindings, type Finding } from '../../src/manifest/finding.ts';

const finding = (changes: Partial<Finding>): Finding => ({
  kind: 'line',
  level: 'error',
  id: null,
  file: null,
  line: null,
  expected: null,
  found: 'x',
  ...changes,
});

describe('describeFinding', () => {
  it('shows the place as far as it is known', () => {
    expect(describeFinding(finding({}))).toBe('line: found x');
    expect(
      describeFinding(
        finding({ kind: 'media-missing', file: 'data.tsv', line: 12, id: 'nemo/a', expected: 'a file' }),
      ),
    ).toBe('data.tsv:12 nemo/a: media-missing: expected a file, found x');
    expect(describeFinding(finding({ id: 'nemo/a' }))).toBe('nemo/a: line: found x');
  });
});

describe('sortFindings', () => {
  it('sorts by kind, file, line as a number, and id, in whatever order they come', () => {
    const sorted = [
      finding({ kind: 'layout' }),
      finding({ file: 'a', line: 2 }),
      finding({ file: 'a', line: 10 }),
      finding({ file: 'b', line: 1, id: 'd/1' }),
      finding({ file: 'b', line: 1, id: 'd/2' }),
      finding({ kind: 'too-short' }),
    ];
    expect(sortFindings([...sorted].reverse())).toEqual(sorted);
    expect(sortFindings([...sorted.slice(3), ...sorted.slice(0, 3)])).toEqual(sorted);
  });
});
