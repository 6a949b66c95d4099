import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cellsOf, gatherReport } from '../../src/gather/report-data.ts';
import { problems } from '../../src/gather/notices.ts';
import { madeReport } from '../support/temporary.ts';

it('reads groups in the order of the paper, and pairs the guided head with the one without guidance', () => {
  const data = madeReport({ variants: ['no-lsma-joo', 'no-ma', 'full'] }).gather();
  expect(data.groups.map(({ group }) => group.label)).toEqual(['full', 'no-ma', 'no-lsma-joo']);
  expect(data.guided?.group.label).toBe('full');
  expect(data.unguided?.group.label).toBe('no-lsma-joo');
  expect([...data.byRule.keys()]).toEqual(['last', 'dev', 'oracle-test']);
  expect(cellsOf(data.guided as never)).toHaveLength(4);
});

it('has no rule that no run has predictions for', () => {
  const data = madeReport({ dev: false }).gather();
  expect([...data.byRule.keys()]).toEqual(['last', 'oracle-test']);
});

it('refuses a rule that no run has, before anything of an earlier report is replaced', () => {
  expect(() => madeReport({ dev: false }).gather({ select: 'dev' })).toThrow(
    '--select dev: no run of made, task 4class, has such an epoch; there are last and oracle-test (a dev part is carved by train --dev',
  );
});

it('takes the head that has a counterpart, whatever stands before it', () => {
  const data = madeReport({ variants: ['no-ma', 'other', 'no-lsma-joo'] }).gather();
  expect(data.groups.map(({ group }) => group.label)).toEqual(['no-ma', 'no-lsma-joo', 'other']);
  expect([data.guided?.group.label, data.unguided?.group.label]).toEqual(['other', 'no-lsma-joo']);
});

it('pairs only heads that differ in the guidance alone', () => {
  const data = madeReport({ variants: ['full'] }).gather();
  expect(data.guided?.group.label).toBe('full');
  expect(data.unguided).toBeUndefined();
});

it('says what is missing, unfinished and stale, and averages none of it', () => {
  const data = madeReport({
    seeds: [1, 2, 3],
    skip: ({ variant, seed, fold }) => {
      if (variant !== 'full' || fold !== 'Ses02') return undefined;
      return ({ 1: 'absent', 2: 'unfinished' } as const)[seed as 1];
    },
  }).gather();
  const [full] = data.groups;
  expect(full?.complete).toEqual([3]);
  expect(problems(data).join('\n')).toContain('full: seed 1 is left out, it lacks Ses02 (no run)');
  expect(problems(data).join('\n')).toContain('full: seed 2 is left out, it lacks Ses02 (at epoch 1 of 4)');
});

it('leaves out trials of a sweep, and says how many', () => {
  const data = madeReport({ skip: ({ variant }) => (variant === 'full' ? undefined : 'trial') }).gather();
  expect(data.groups.map(({ group }) => group.label)).toEqual(['full']);
  expect(problems(data)).toEqual(['4 runs without a test part (trials of a sweep) are left out.']);
});

it('names what there is where there is nothing', () => {
  const { folder, card, gather } = madeReport();
  const elsewhere = { runs: join(folder, 'none') };
  expect(() => gather(elsewhere)).toThrow(`no run of made, task 4class, in ${elsewhere.runs}: train first`);
  expect(() => gather({ task: 'sentiment' })).toThrow(
    'dataset made has no task sentiment: choose one of 4class',
  );
  const other = { ...card, tasks: [...card.tasks, { ...card.tasks[0], name: 'second' }] } as typeof card;
  expect(() => gather({ card: other, task: 'second' })).toThrow('no run of made, task second, in');
  expect(
    gatherReport({
      runs: join(folder, 'runs'),
      card,
      utterances: null,
      select: 'last',
      missing: 'drop',
      seed: 1,
    }).utterances.size,
  ).toBe(0);
  rmSync(join(folder, 'runs'), { recursive: true });
  expect(() => gather()).toThrow('train first (make train DATASET=made)');
});

it('counts what lacks features by the rule', () => {
  const missing = ['made/Ses01/u00000', 'made/Ses02/u00001'];
  const { gather } = madeReport({ missing });
  const coverage = (rule: 'drop' | 'wrong') => gather({ missing: rule }).guided?.coverage;
  expect(coverage('drop')).toEqual({ evaluated: 58, expected: 60, comparable: false });
  expect(coverage('wrong')).toEqual({ evaluated: 60, expected: 60, comparable: true });
});
