import { describe, expect, it } from 'vitest';
import { chooseJobs, workerArguments } from '../src/jobs.ts';

describe('chooseJobs', () => {
  it('fills the cores with processes of one thread, or with threads where there is little to do', () => {
    const cpu = { device: 'cpu' } as const;
    expect(chooseJobs(cpu, 25, 100_000, 2)).toEqual({ count: 2, threads: 1 });
    expect(chooseJobs(cpu, 1, 100_000, 2)).toEqual({ count: 1, threads: 2 });
    expect(chooseJobs(cpu, 3, 100_000, 8)).toEqual({ count: 3, threads: 2 });
    expect(chooseJobs(cpu, 100, 100_000, 64)).toEqual({ count: 8, threads: 8 });
    expect(chooseJobs(cpu, 0, 100_000, 2)).toEqual({ count: 1, threads: 2 });
  });

  it('stays alone where a helper would come too late, unless it is asked for', () => {
    expect(chooseJobs({ device: 'cpu' }, 25, 3000, 2)).toEqual({ count: 1, threads: 2 });
    expect(chooseJobs({ device: 'cpu', jobs: 2 }, 25, 3000, 2)).toEqual({ count: 2, threads: 1 });
  });

  it('takes what is given', () => {
    expect(chooseJobs({ device: 'cpu', threads: 2 }, 25, 100_000, 2)).toEqual({ count: 1, threads: 2 });
    expect(chooseJobs({ device: 'cpu', jobs: 1 }, 25, 100_000, 2)).toEqual({ count: 1, threads: 2 });
    expect(chooseJobs({ device: 'cpu', jobs: 3, threads: 1 }, 25, 100_000, 2)).toEqual({
      count: 3,
      threads: 1,
    });
    expect(chooseJobs({ device: 'cuda' }, 25, 100_000, 16)).toEqual({ count: 1, threads: 16 });
  });
});

it("a process that helps gets the same question, and nothing that is the other one's", () => {
  const options = {
    _: ['train'],
    $0: 'lsgmer',
    recipe: 'demo',
    set: ['lr=0.1', 'd=16'],
    grid: ['heads=1,2'],
    fold: 'all',
    seeds: undefined,
    'print-config': false,
    printConfig: false,
    'dry-run': false,
    refit: true,
    analysis: false,
    device: 'cpu',
    jobs: 4,
    threads: 2,
    quiet: true,
    json: true,
    options: false,
  } as never;
  const expected =
    'train --dataset demo --recipe demo --set lr=0.1 --set d=16 --grid heads=1,2 --fold all --refit --no-analysis ' +
    '--device cpu --store /a:/b --runs /r --threads 1 --jobs 1 --worker';
  expect(workerArguments({ stores: ['/a', '/b'], runs: '/r' }, 'demo', options, 1)).toEqual(
    expected.split(' '),
  );
});
