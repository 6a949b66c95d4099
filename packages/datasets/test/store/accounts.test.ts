import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleStore } from '../share/sample-store.ts';
import { bundled } from './bundled.ts';
import { temporaryStore } from './sample.ts';

/** Two accounts of one group, and a third that is in none; numbers that no machine uses. */
const TEAM = 64_200;
const ANNA = { uid: 64_201, groups: `${TEAM}` };
const BEN = { uid: 64_202, groups: `${TEAM}` };
const CLEO = { uid: 64_203, groups: '64299' };
type Account = typeof ANNA;

let bundle: { script: string; remove: () => void } | null = null;

function runAs({ uid, groups }: Account, command: string): { status: number | null; out: string } {
  const account = [
    `--reuid=${uid}`,
    `--regid=${uid}`,
    `--groups=${groups}`,
    '--inh-caps=-all',
    '--bounding-set=-all',
  ];
  const { status, stdout, stderr } = spawnSync('setpriv', [...account, 'sh', '-c', command], {
    encoding: 'utf8',
  });
  return { status, out: `${stdout ?? ''}${stderr ?? ''}` };
}

/** As the account, which lets nobody else do anything with its files by default. */
function store(account: Account, ...args: (string | number)[]): string {
  const words = [process.execPath, bundle?.script ?? '', ...args].map((word) => `'${word}'`).join(' ');
  return runAs(account, `umask 077; exec ${words}`).out;
}

/** Why accounts can't be tried here; null where they can. */
function obstacle(): string | null {
  if (process.platform !== 'linux') return 'setpriv is a Linux program';
  if (process.getuid?.() !== 0) return 'only root may become other accounts';
  if (spawnSync('setpriv', ['--version']).status !== 0) return 'there is no setpriv (util-linux)';
  const tried = runAs(ANNA, `'${process.execPath}' --check '${bundle?.script ?? ''}'`);
  return tried.status === 0
    ? null
    : `other accounts may not read this checkout: ${tried.out.trim().slice(0, 200)}`;
}

beforeAll(async () => {
  bundle = await bundled('account-process');
  chmodSync(dirname(bundle.script), 0o755);
  chmodSync(bundle.script, 0o644);
});
afterAll(() => bundle?.remove());

describe('a store of two accounts of one group, both with umask 077', () => {
  it.each([
    ['with setgid', 0o2775],
    ['without setgid', 0o775],
  ])('%s: one extracts, the other extends, a third reads', (_name, mode) => {
    const reason = obstacle();
    if (reason !== null) {
      console.log(`skipped: ${reason} (as root every file may be used, so the test could not fail)`);
      return;
    }
    const folder = temporaryStore();
    chownSync(folder, 0, TEAM);
    chmodSync(folder, mode);
    expect(store(ANNA, 'write', folder, 'main', 0, 40)).toBe('written');
    expect(store(BEN, 'read', folder)).toBe('read 40');
    expect(store(BEN, 'write', folder, 'main', 40, 60)).toBe('written'); // the same part, another owner's file
    if (mode === 0o2775) {
      expect(store(BEN, 'write', folder, 'second', 60, 80)).toBe('written');
      expect(store(BEN, 'pin', folder, 'run1')).toBe('pinned 1');
      expect(store(CLEO, 'read', folder)).toBe('read 80');
      expect(store(CLEO, 'write', folder, 'third', 80, 90)).toMatch(/^refused: .*may not be written/);
      expect(store(CLEO, 'pin', folder, 'run3')).toBe('pinned 0');
    }
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      const stat = statSync(path);
      const rights = stat.mode & 0o7777;
      expect([path, stat.gid]).toEqual([path, TEAM]);
      if (entry.isDirectory()) expect([path, rights]).toEqual([path, mode]);
      else expect([path, rights]).toEqual([path, 0o664]);
    }
  });

  it('says who may not write where, and what to do, to whom pushes and exports without rights', () => {
    const reason = obstacle();
    if (reason !== null) {
      console.log(`skipped: ${reason} (as root every file may be used, so the test could not fail)`);
      return;
    }
    const folder = sampleStore();
    chmodSync(folder, 0o755);
    const closed = temporaryStore();
    chmodSync(closed, 0o755);
    expect(store(CLEO, 'push', folder, join(closed, 'shared'))).toBe(
      `refused: ${join(closed, 'shared')} may not be written by this account: ask its owner for rights to it, or push to another place`,
    );
    // a part of it alone
    mkdirSync(join(closed, 'open', 'sample'), { recursive: true });
    chmodSync(join(closed, 'open'), 0o777);
    expect(store(CLEO, 'push', folder, join(closed, 'open'))).toMatch(
      /^refused: could not write to .* \(EACCES\): it may not be written: push to another place, or ask its owner/,
    );
    expect(store(CLEO, 'export', folder, join(closed, 'out'))).toMatch(
      /^refused: could not write to .*out \(EACCES\): it may not be written: choose another --out, or ask its owner/,
    );
  });

  it('does not open a private store to anybody', () => {
    const reason = obstacle();
    if (reason !== null) {
      console.log(`skipped: ${reason}`);
      return;
    }
    const folder = temporaryStore();
    chownSync(folder, ANNA.uid, ANNA.uid);
    chmodSync(folder, 0o700);
    expect(store(ANNA, 'write', folder, 'main', 0, 5)).toBe('written');
    expect(statSync(join(folder, 'sample')).mode & 0o777).toBe(0o700);
    expect(store(BEN, 'read', folder)).not.toMatch(/^read/);
    expect(execFileSync('find', [folder, '-perm', '/007'], { encoding: 'utf8' })).toBe('');
  });
});
