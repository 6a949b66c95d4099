import { expect, it } from 'vitest';
import { notices, problems, ruleText } from '../../src/gather/notices.ts';
import { madeReport } from '../support/temporary.ts';

it('says at the top that data are generated, encoders random, the corpus restricted, the epoch an oracle', () => {
  const made = madeReport({ card: { restricted: true, licence: 'no <b>passing on</b>' } });
  const lines = notices(made.gather({ select: 'oracle-test' })).join('\n');
  expect(lines).toContain('SYNTHETIC data');
  expect(lines).toContain('RANDOM encoders (random-tiny-made)');
  expect(lines).toContain('RESTRICTED corpus: this page holds transcripts');
  expect(lines).toContain('no <b>passing on</b>');
  expect(lines).toContain('ORACLE: every number here');
});

it('says nothing of the kind of an open corpus, but for its encoders', () => {
  const made = madeReport({ card: { synthetic: false } });
  expect(notices(made.gather())).toHaveLength(1);
});

it('says once what is said of several rows', () => {
  const data = madeReport({ seeds: [1] }).gather();
  expect(problems(data)).toEqual(['full, no-lsma-joo: one seed only, the variance over seeds is not known']);
});

it('never names the oracle rule without saying so', () => {
  expect(ruleText('oracle-test')).toContain('ORACLE');
  expect(ruleText('dev')).toBe('epoch: dev');
});
