import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';

/** What limits the cores of this process. */
export interface CoreLimits {
  /** Cores that the scheduler may put it on (affinity). */
  readonly affinity: number;
  /** Core-seconds a second that its control groups allow; empty where none limits it. */
  readonly quotas: readonly number[];
  /** SLURM_CPUS_PER_TASK, where a job has it. */
  readonly slurm?: string | undefined;
}

/** The least of the limits, a quota rounded up, at least 1. Pure. */
export function coresWithin({ affinity, quotas, slurm }: CoreLimits): number {
  const job = Number(slurm);
  const limits = [affinity, ...quotas.map(Math.ceil), ...(Number.isInteger(job) && job > 0 ? [job] : [])];
  return Math.max(1, Math.min(...limits));
}

/** Cores that this process may use: affinity, control groups, and what a SLURM job was given. */
export function usableCores(slurm?: string): number {
  return coresWithin({ affinity: availableParallelism(), quotas: cgroupQuotas('/'), slurm });
}

/**
 * The CPU quotas of this process's control groups (version 2, else 1), and of those around them.
 * @param root where the file system begins (tests give a folder)
 */
export function cgroupQuotas(root: string): number[] {
  const groups = textOf(join(root, 'proc/self/cgroup')) ?? '';
  const quotas: number[] = [];
  for (const line of groups.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    const isCpu = controllers.split(',').includes('cpu');
    if (controllers !== '' && !isCpu) continue;
    const mounts = isCpu ? ['sys/fs/cgroup/cpu', 'sys/fs/cgroup/cpu,cpuacct'] : ['sys/fs/cgroup'];
    for (const mount of mounts) quotas.push(...quotasUpwards(join(root, mount), path, isCpu));
  }
  return quotas;
}

function quotasUpwards(mount: string, path: string, first: boolean): number[] {
  const quotas: number[] = [];
  for (let group = path; ; group = dirname(group)) {
    const folder = join(mount, group);
    const quota = first
      ? ratio(textOf(join(folder, 'cpu.cfs_quota_us')), textOf(join(folder, 'cpu.cfs_period_us')))
      : ratio(...((textOf(join(folder, 'cpu.max')) ?? '').split(' ') as [string, string?]));
    if (quota !== undefined) quotas.push(quota);
    if (group === '/' || group === '.' || group === '') return quotas;
  }
}

/** `max` and -1 stand for no limit. */
function ratio(quota: string | undefined, period: string | undefined): number | undefined {
  const value = Number(quota) / Number(period);
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
