import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFolder, silent } from '@lsgmer/datasets';
import { folderOf } from '../../src/experiment/execute.ts';
import { pendingRuns } from '../../src/experiment/experiment.ts';
import { planExperiment } from '../../src/experiment/plan.ts';
import { parseShare, shareOf, workOf, workOff } from '../../src/experiment/work-off.ts';
import { folds, tinyRequest, TinyFactory } from '../support/tiny-experiment.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lsgmer-work-'));
});
afterEach(() => rmSync(root, { recursive: true }));

describe('shares', () => {
  it('are disjoint and whole, and spread over variants', () => {
    const plan = planExperiment(
      tinyRequest(root, { folds, seeds: [1, 2], variants: { full: {}, text: { modality: 'text' } } }),
    );
    const work = workOf(plan.variants);
    const parts = ['1/5', '2/5', '3/5', '4/5', '5/5'].map((text) => shareOf(work, parseShare(text)));
    expect(
      parts
        .flat()
        .map(({ run }) => run.id)
        .sort(),
    ).toEqual(work.map(({ run }) => run.id).sort());
    expect(parts.map((part) => part.length)).toEqual([3, 3, 2, 2, 2]);
    for (const part of parts) expect(new Set(part.map(({ run }) => run.variant)).size).toBe(2);
    expect(shareOf(work, undefined)).toEqual(work);
  });

  it.each(['3', '0/2', '3/2', 'a/b', '1/2/3'])('%s is none', (text) => {
    expect(() => parseShare(text)).toThrow(`--only ${text}: expected i/n, for instance 1/3`);
  });
});

describe('workOff', () => {
  it('leaves alone what others hold, and waits until they have finished it', async () => {
    const engine = new TinyFactory();
    const plan = planExperiment(tinyRequest(root, { folds, engine }));
    const [held] = workOf(plan.variants);
    const folder = folderOf(plan.request, (held as NonNullable<typeof held>).run).path;
    makeFolder(folder);
    // the parent of this process lives, and holds it
    const host = hostname().replaceAll(/[^A-Za-z0-9.]/g, '_');
    const claim = join(folder, `.tmp-${host}-${process.ppid}-${Date.now()}-0123abcd-claim`);
    writeFileSync(claim, '');
    const said: string[] = [];
    const reporter = {
      ...silent,
      info: (line: string): void => {
        said.push(line);
        // it lets go without having finished
        rmSync(claim);
      },
    };
    const done = await workOff(plan.request, workOf(plan.variants), { reporter, now: () => 0 });
    expect(said).toEqual([`waiting for 1 run of process ${process.ppid} on ${host}`]);
    expect([...done][2]).toBe(held?.run.id); // the last one
    expect(pendingRuns(plan)).toEqual([]);
  });

  it('names the run that diverged', async () => {
    const plan = planExperiment(tinyRequest(root, { folds, set: { lr: 1e38 } }));
    const context = { reporter: silent, now: () => 0 };
    await expect(workOff(plan.request, workOf(plan.variants), context)).rejects.toThrow(
      /^full Ses01 seed 1: .*(not finite|diverged)/,
    );
  });

  it('two at once do each run once', async () => {
    const engines = [new TinyFactory(), new TinyFactory()];
    const plans = engines.map((engine) =>
      planExperiment(tinyRequest(root, { folds, seeds: [1, 2, 3], engine })),
    );
    const done = await Promise.all(
      plans.map((plan) => workOff(plan.request, workOf(plan.variants), { reporter: silent, now: () => 0 })),
    );
    const [a, b] = done.map((ids) => [...ids]);
    expect(a?.length).toBeGreaterThan(0);
    expect(b?.length).toBeGreaterThan(0);
    expect([...(a as string[]), ...(b as string[])].sort()).toEqual(
      workOf((plans[0] as (typeof plans)[0]).variants)
        .map(({ run }) => run.id)
        .sort(),
    );
    expect((engines[0] as TinyFactory).calls + (engines[1] as TinyFactory).calls).toBe(9 * 24);
  });

  it('runs of equal heads share an engine across variants', async () => {
    const engine = new TinyFactory();
    const variants = { slow: { lr: 0.001 }, fast: { lr: 0.1 }, text: { modality: 'text' } };
    const plan = planExperiment(tinyRequest(root, { variants, engine }));
    await workOff(plan.request, workOf(plan.variants), { reporter: silent, now: () => 0 });
    expect(engine.engines).toHaveLength(2);
    expect(engine.engines.every((one) => one.disposed)).toBe(true);
  });
});
