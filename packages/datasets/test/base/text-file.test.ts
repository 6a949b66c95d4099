import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { decodeText, readJsonFile, readTextFile } from '../../src/base/text-file.ts';
import { temporaryFolder } from '../support.ts';

describe('decodeText', () => {
  it('drops a byte-order mark and reads UTF-16, and says so', () => {
    const text = 'aż';
    const read = (bytes: Buffer) => decodeText(bytes);
    const [utf8, le, be] = ['utf-8', 'utf-16le', 'utf-16be'].map((encoding) => ({
      text,
      badLines: [],
      encoding,
    }));
    expect(read(Buffer.from(text, 'utf8'))).toEqual({ ...utf8, mark: false });
    expect(read(Buffer.from(`\ufeff${text}`, 'utf8'))).toEqual({ ...utf8, mark: true });
    expect(read(Buffer.from(`\ufeff${text}`, 'utf16le'))).toEqual({ ...le, mark: true });
    expect(read(Buffer.from(`\ufeff${text}`, 'utf16le').swap16())).toEqual({ ...be, mark: true });
    const plain = 'file,label\n'.repeat(9);
    const zero = { text: plain, badLines: [], mark: false };
    expect(read(Buffer.from(plain, 'utf16le'))).toEqual({ ...zero, encoding: 'utf-16le' });
    expect(read(Buffer.from(plain, 'utf16le').swap16())).toEqual({ ...zero, encoding: 'utf-16be' });
    expect(read(Buffer.alloc(8)).encoding).toBe('utf-8');
    expect(read(Buffer.alloc(0))).toEqual({ text: '', badLines: [], encoding: 'utf-8', mark: false });
  });

  it('reads only the lines that are not UTF-8 as windows-1252, and names them', () => {
    const bytes = Buffer.concat([
      Buffer.from('ż\n', 'utf8'),
      Buffer.from([0x49, 0x92, 0x6d, 0x0a]),
      Buffer.from('ok\n', 'utf8'),
      Buffer.from([0xe9]),
    ]);
    expect(decodeText(bytes)).toMatchObject({ text: 'ż\nI’m\nok\né', badLines: [2, 4] });
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

  it('unpack gzip, and say where it ends early', () => {
    const folder = temporaryFolder();
    const packed = gzipSync('a,b\n1,2\n');
    writeFileSync(join(folder, 't.csv.gz'), packed);
    writeFileSync(join(folder, 'torn.csv.gz'), packed.subarray(0, packed.length - 12));
    expect(readTextFile(join(folder, 't.csv.gz')).text).toBe('a,b\n1,2\n');
    expect(() => readTextFile(join(folder, 'torn.csv.gz'))).toThrow(
      `cannot read ${join(folder, 'torn.csv.gz')}: expected a whole gzip file: unexpected end of file`,
    );
  });

  it('name line and column of broken JSON', () => {
    const file = join(temporaryFolder(), 'x.json');
    writeFileSync(file, '{\n  "a": 1,\n  b\n}');
    expect(() => readJsonFile(file)).toThrow(`${file}:3:3: not valid JSON`);
  });
});
