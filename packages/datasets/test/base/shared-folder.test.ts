import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeFileAtomic } from '../../src/base/atomic-file.ts';
import { makeFolder, openNewFile } from '../../src/base/shared-folder.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lsgmer-shared-'));
});
afterEach(() => rmSync(root, { recursive: true }));
const mode = (...path: string[]): number => statSync(join(root, ...path)).mode & 0o7777;

describe('makeFolder', () => {
  it('gives new folders group, setgid and rights of the one that was there', () => {
    chmodSync(root, 0o2770);
    makeFolder(join(root, 'a', 'b'));
    expect([mode('a'), mode('a', 'b')]).toEqual([0o2770 | (mode('a') & 0o005), 0o2770 | (mode('a') & 0o005)]);
    makeFolder(join(root, 'a', 'b'));
    chmodSync(root, 0o2750);
    mkdirSync(join(root, 'own'), 0o700);
    makeFolder(join(root, 'own'));
    expect(mode('own') & 0o777).toBe(0o700); // what is there already is left alone
  });

  it('lets the umask stand in a folder that everybody may write to', () => {
    chmodSync(root, 0o1777);
    mkdirSync(join(root, 'plain'));
    makeFolder(join(root, 'a'));
    expect(mode('a')).toBe(mode('plain'));
  });

  it('refuses where a file is in the way', () => {
    writeFileSync(join(root, 'file'), '');
    expect(() => makeFolder(join(root, 'file'))).toThrow('EEXIST');
    expect(() => makeFolder(join(root, 'file', 'below'))).toThrow(/EEXIST|ENOTDIR/);
  });
});

describe('new files', () => {
  it('are readable by the group, and writable where the folder is', () => {
    chmodSync(root, 0o770);
    closeSync(openNewFile(join(root, 'shared')));
    expect(mode('shared') & 0o070).toBe(0o060);
    chmodSync(root, 0o750);
    closeSync(openNewFile(join(root, 'readable')));
    expect(mode('readable') & 0o070 & ~0o020).toBe(0o040);
    expect(() => openNewFile(join(root, 'readable'))).toThrow('EEXIST');
    writeFileAtomic(join(root, 'new', 'file'), 'x');
    expect(existsSync(join(root, 'new', 'file'))).toBe(true);
  });
});
