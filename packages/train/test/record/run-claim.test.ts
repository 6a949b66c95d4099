import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { holdersOf, RunClaim } from '../../src/record/run-claim.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lsgmer-claim-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const host = hostname().replaceAll(/[^A-Za-z0-9.]/g, '_');
/** A claim of another process, touched some seconds ago. */
function foreign(owner: string, pid: number, age: number, start = Date.now()): string {
  const path = join(folder, `.tmp-${owner}-${pid}-${start}-0123abcd-claim`);
  writeFileSync(path, '');
  const at = new Date(Date.now() - 1000 * age);
  utimesSync(path, at, at);
  return path;
}

describe('RunClaim', () => {
  it('is held once, and free again after its release', () => {
    const claim = RunClaim.take(folder);
    expect(claim).toBeDefined();
    expect(RunClaim.take(folder)).toBeUndefined();
    expect(holdersOf(folder)).toEqual([{ host, pid: process.pid }]);
    claim?.release();
    expect(readdirSync(folder)).toEqual([]);
    const again = RunClaim.take(folder);
    expect(again).toBeDefined();
    again?.release();
  });

  it('is taken over at once from a dead process of this host, however fresh', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => child.once('close', resolve));
    foreign(host, child.pid as number, 0);
    expect(holdersOf(folder)).toEqual([]);
    const claim = RunClaim.take(folder);
    expect(claim).toBeDefined();
    expect(readdirSync(folder)).toHaveLength(1);
    claim?.release();
  });

  it('is respected while a process of this host lives, however silent', () => {
    foreign(host, process.ppid, 100_000);
    expect(RunClaim.take(folder)).toBeUndefined();
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it("of another host counts while it is touched, and is taken over after five minutes' silence", () => {
    foreign('elsewhere', 7, 200);
    expect(RunClaim.take(folder)).toBeUndefined();
    expect(holdersOf(folder)).toEqual([{ host: 'elsewhere', pid: 7 }]);
    expect(readdirSync(folder)).toHaveLength(1);
    rmSync(folder, { recursive: true });
    const claim = RunClaim.take(folder);
    claim?.release();
    foreign('elsewhere', 7, 400);
    const taken = RunClaim.take(folder);
    expect(taken).toBeDefined();
    expect(readdirSync(folder)).toHaveLength(1);
    taken?.release();
  });

  it('shows that it lives by the clock of the file system, and notices when it was taken over', () => {
    const claim = RunClaim.take(folder) as RunClaim;
    const path = join(folder, readdirSync(folder)[0] as string);
    const old = new Date(Date.now() - 60_000);
    utimesSync(path, old, old);
    claim.beat();
    expect(statSync(path).mtimeMs).toBeGreaterThan(Date.now() - 5000);
    expect(claim.lost.aborted).toBe(false);
    rmSync(path);
    claim.beat();
    expect(claim.lost.aborted).toBe(true);
    claim.release();
  });
});
