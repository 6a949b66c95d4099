import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadTableOptions } from '../../src/corpora/table-options.ts';
import { temporaryFolder } from '../support.ts';

it('reads a mapping and lists what is wrong with one', () => {
  const file = join(temporaryFolder(), 'columns.json');
  writeFileSync(file, '{"file": "clip", "text": null, "delimiter": "tab"}');
  expect(loadTableOptions(file)).toEqual({ file: 'clip', text: null, delimiter: 'tab' });
  writeFileSync(file, '{"file": null, "labels": "x", "delimiter": ";"}');
  expect(() => loadTableOptions(file)).toThrow(
    [
      `${file}: delimiter: Invalid option: expected one of "comma"|"tab"|"semicolon"`,
      `${file}: file: expected string, received null`,
      `${file}: labels: no such key`,
    ].join('\n'),
  );
});
