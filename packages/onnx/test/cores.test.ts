import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { cgroupQuotas, coresWithin, usableCores } from '@lsgmer/onnx';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-cores-'));
afterAll(() => rmSync(folder, { recursive: true }));

function tree(name: string, files: Record<string, string>): string {
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, name, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${text}\n`);
  }
  return join(folder, name);
}

describe('coresWithin', () => {
  it('takes the least of affinity, quota and job', () => {
    expect(coresWithin({ affinity: 8, quotas: [] })).toBe(8);
    expect(coresWithin({ affinity: 8, quotas: [2.5, 6] })).toBe(3);
    expect(coresWithin({ affinity: 8, quotas: [6], slurm: '4' })).toBe(4);
    expect(coresWithin({ affinity: 2, quotas: [], slurm: '16' })).toBe(2);
  });

  it('is never less than one, and passes over what is no number', () => {
    expect(coresWithin({ affinity: 4, quotas: [0.1] })).toBe(1);
    for (const slurm of ['', 'many', '0', '-2', '1.5'])
      expect(coresWithin({ affinity: 4, quotas: [], slurm })).toBe(4);
  });
});

describe('cgroupQuotas', () => {
  it('reads version 2, and the groups around', () => {
    const root = tree('two', {
      'proc/self/cgroup': '0::/jobs/mine',
      'sys/fs/cgroup/jobs/mine/cpu.max': 'max 100000',
      'sys/fs/cgroup/jobs/cpu.max': '250000 100000',
    });
    expect(cgroupQuotas(root)).toEqual([2.5]);
  });

  it('reads version 1', () => {
    const root = tree('one', {
      'proc/self/cgroup': '4:memory:/a\n3:cpu,cpuacct:/a/b',
      'sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us': '-1',
      'sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us': '100000',
      'sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us': '150000',
      'sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us': '100000',
    });
    expect(cgroupQuotas(root)).toEqual([1.5]);
  });

  it('finds no limit where there are no groups', () => {
    expect(cgroupQuotas(join(folder, 'none'))).toEqual([]);
    expect(usableCores('1')).toBe(1);
  });
});
