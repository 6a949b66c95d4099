import { mkdirSync, realpathSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listFolder, RowCollector, rootFolder } from '../../src/corpora/adapter.ts';
import { describeFinding } from '../../src/manifest/finding.ts';
import { putFiles, row, temporaryFolder } from '../support.ts';

describe('rootFolder', () => {
  it('follows links, and takes the folder of a file', () => {
    const root = realpathSync(temporaryFolder());
    putFiles(root, { 'data/table.csv': '' });
    symlinkSync('data', join(root, 'link'));
    expect(rootFolder(join(root, 'link'), 'd')).toBe(join(root, 'data'));
    expect(rootFolder(join(root, 'link/table.csv'), 'd')).toBe(join(root, 'data'));
    expect(() => rootFolder(join(root, 'none'), 'd')).toThrow(
      `cannot read ROOT of d: ${root}/none: there is no such file or folder`,
    );
  });
});

describe('listFolder', () => {
  it('sorts, leaves hidden entries out, and gives null where there is no folder', () => {
    const root = temporaryFolder();
    putFiles(root, { b: '', '._a': '', '.DS_Store': '' });
    mkdirSync(join(root, 'a'));
    expect(listFolder(root)?.map((entry) => entry.name)).toEqual(['a', 'b']);
    expect(listFolder(join(root, 'none'))).toBeNull();
  });
});

describe('RowCollector', () => {
  it('takes each id once, and only ids that can be paths', () => {
    const rows = new RowCollector();
    const source = (line: number) => ({ file: 't.csv', line });
    expect(rows.add(row('d/a'), source(2))).toBe(true);
    expect(rows.add(row('d/ż'), source(3))).toBe(false);
    expect(rows.add(row('d/a'), source(4))).toBe(false);
    expect(rows.add(row('d/../a'), source(5))).toBe(false);
    const expected =
      'parts of letters, digits, dot, underscore and hyphen, joined by / (a table may have ids of its own: --columns id=NAME)';
    expect(rows.problems.map(describeFinding)).toEqual([
      `t.csv:3 d/ż: schema: expected ${expected}, found the id 'd/ż'`,
      't.csv:4 d/a: duplicate-id: expected each id once, found it again (first: t.csv:2)',
      `t.csv:5 d/../a: schema: expected ${expected}, found the id 'd/../a'`,
    ]);
    expect(rows.utterances).toEqual([row('d/a')]);
    expect([...rows.sources.keys()]).toEqual(['d/a']);
  });
});
