import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryName } from '../../src/base/atomic-file.ts';
import { claimPart, isDead, ownerOf, removeDeadFiles } from '../../src/store/writer-lease.ts';
import { temporaryStore } from './sample.ts';

const own = ownerOf(basename(temporaryName('x')));
if (!own) throw new Error('the name of a temporary file does not say its owner');
const { host, pid, start } = own;
/** A process that has ended. */
const ended = spawnSync(process.execPath, ['-e', '']).pid;
const name = (owner: { host?: string; pid?: number; start?: number }, target: string): string =>
  `.tmp-${owner.host ?? host}-${owner.pid ?? pid}-${owner.start ?? start}-0123abcd-${target}`;

describe('ownerOf', () => {
  it('reads host, pid and start from the name of a temporary file', () => {
    expect(pid).toBe(process.pid);
    expect(ownerOf('.tmp-node.example-12-345-0123abcd-sha256-x.arrow')).toEqual({
      host: 'node.example',
      pid: 12,
      start: 345,
    });
    expect(ownerOf('sha256-x.arrow')).toBeNull();
    expect(ownerOf('.tmp-notours')).toBeNull();
  });
});

describe('isDead', () => {
  it('knows living processes, ended ones, and a pid that another process got', () => {
    expect(isDead({ host, pid, start })).toBe(false);
    expect(isDead({ host, pid: process.ppid, start })).toBe(false);
    expect(isDead({ host, pid: ended, start })).toBe(true);
    expect(isDead({ host, pid, start: start - 5_000 })).toBe(true);
    // a worker thread of this process began later than the process
    expect(isDead({ host, pid, start: start + 3_600_000 })).toBe(false);
  });

  it('takes a writer of another host for alive', () => {
    expect(isDead({ host: 'elsewhere', pid: ended, start: 0 })).toBe(false);
  });

  it.runIf(process.platform === 'linux')('sees from /proc that another process has the pid now', () => {
    expect(isDead({ host, pid: process.ppid, start: Date.UTC(2001, 0, 1) })).toBe(true);
  });
});

describe('removeDeadFiles', () => {
  it('removes the temporary files of dead writers, and nothing else', () => {
    const folder = temporaryStore();
    const dead = name({ pid: ended }, 'shard.arrow');
    const kept = [
      name({}, 'shard.arrow'),
      name({ host: 'elsewhere', pid: ended }, 'shard.arrow'),
      'sha256-1.arrow',
      '.hidden',
    ];
    for (const file of [dead, ...kept]) writeFileSync(join(folder, file), '');
    expect(removeDeadFiles(folder)).toEqual([dead]);
    expect(readdirSync(folder).sort()).toEqual(kept.sort());
    expect(removeDeadFiles(join(folder, 'absent'))).toEqual([]);
  });
});

describe('claimPart', () => {
  it('gives a part to one writer at a time', () => {
    const folder = temporaryStore();
    const release = claimPart(folder, 'a');
    expect(() => claimPart(folder, 'a')).toThrow(
      `part "a" in ${folder} is being written by process ${pid} on ${host}: wait for it`,
    );
    const other = claimPart(folder, 'b');
    release();
    release();
    claimPart(folder, 'a')();
    other();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('takes over from a dead writer, but not from another host', () => {
    const folder = temporaryStore();
    writeFileSync(join(folder, name({ pid: ended }, 'a.claim')), '');
    claimPart(folder, 'a')();
    expect(readdirSync(folder)).toEqual([]);
    const foreign = name({ host: 'elsewhere' }, 'a.claim');
    writeFileSync(join(folder, foreign), '');
    expect(() => claimPart(folder, 'a')).toThrow(
      `on elsewhere: wait for it, or write another part; if that process is gone, remove ${join(folder, foreign)}`,
    );
    expect(readdirSync(folder)).toEqual([foreign]);
  });
});
