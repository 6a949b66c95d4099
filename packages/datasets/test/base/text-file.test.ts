import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { decodeText, readJsonFile, readTextFile } from '../../src/base/text-file.ts';
import { temporaryFolder } from '../support.ts';

describe('decodeText', () => {
  it('drops a byte-order mark and reads UTF-16 that has one', () => {
    expect(decodeText(Buffer.from('\ufeffaż', 'utf8'))).toEqual({ text: 'aż', badLines: [] });
    expect(decodeText(Buffer.from('\ufeffaż', 'utf16le'))).toEqual({ text: 'aż', badLines: [] });
    expect(decodeText(Buffer.from('\ufeffaż', 'utf16le').swap16())).toEqual({ text: 'aż', badLines: [] });
  });

  it('reads only the lines that are not UTF-8 as windows-1252, and names them', () => {
    const bytes = Buffer.concat([
      Buffer.from('ż\n', 'utf8'),
      Buffer.from([0x49, 0x92, 0x6d, 0x0a]),
      Buffer.from('ok\n', 'utf8'),
      Buffer.from([0xe9]),
    ]);
    expect(decodeText(bytes)).toEqual({ text: 'ż\nI’m\nok\né', badLines: [2, 4] });
  });
});

describe('readTextFile and readJsonFile', () => {
  it('say in words what is in the way', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'inner'));
    symlinkSync('loop', join(folder, 'loop'));
    const message = (name: string) => {
      try {
        readTextFile(join(folder, name));
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
        return (error as Error).message.replace(folder, 'F');
      }
      throw new Error('read');
    };
    expect(message('none')).toBe('cannot read F/none: there is no such file or folder');
    expect(message('inner')).toBe('cannot read F/inner: it is a folder');
    expect(message('loop')).toBe('cannot read F/loop: its symbolic links form a loop');
  });

  it('name line and column of broken JSON', () => {
    const file = join(temporaryFolder(), 'x.json');
    writeFileSync(file, '{\n  "a": 1,\n  b\n}');
    expect(() => readJsonFile(file)).toThrow(`${file}:3:3: not valid JSON`);
  });
});
