import { describe, expect, it } from 'vitest';
import { duration, progressText, ScreenReporter } from '../../src/ui/reporter.ts';

function screen(isTerminal: boolean) {
  const written: string[] = [];
  const clock = { ms: 0 };
  const reporter = new ScreenReporter({
    isTerminal,
    columns: 60,
    write: (t) => written.push(t),
    now: () => clock.ms,
  });
  return { written, clock, reporter };
}

describe('progress without a terminal', () => {
  it('is a plain line at most every five seconds, and one at the end', () => {
    const { written, clock, reporter } = screen(false);
    const step = (done: number) => reporter.progress({ task: 'wavlm', done, total: 100, unit: 'clips' });
    step(0);
    clock.ms = 1000;
    step(10);
    clock.ms = 6000;
    step(60);
    clock.ms = 10_000;
    step(100);
    expect(written).toEqual([
      'wavlm: 0/100 clips\n',
      'wavlm: 60/100 clips  10/s  4.0 s left\n',
      'wavlm: 100/100 clips  10/s  in 10 s\n',
    ]);
  });

  it('counts the rate from what this run did, not from what was there before', () => {
    expect(progressText({ task: 't', done: 900, total: 1000, unit: 'rows' }, 10_000, 100)).toBe(
      '900/1000 rows  10/s  10 s left',
    );
  });
});

describe('progress of rows that differ in cost', () => {
  it('tells the rate of the work, and the time that the rest of it takes', () => {
    const step = { task: 't', done: 50, total: 100, unit: 'rows' };
    const work = { done: 100, total: 500, unit: 'audio s' };
    expect(progressText({ ...step, work, note: '1 quarantined' }, 10_000, 50, 80)).toBe(
      '50/100 rows  5.0/s  8.0 audio s/s  50 s left  1 quarantined',
    );
  });
});

describe('progress in a terminal', () => {
  it('redraws one line, cut to the width, and leaves messages whole', () => {
    const { written, reporter } = screen(true);
    reporter.progress({ task: 'wavlm', done: 1, total: 4, unit: 'clips', note: 'n'.repeat(100) });
    reporter.warn('careful');
    expect(written[0]?.startsWith('\r\u001B[2Kwavlm [######..................] 1/4 clips')).toBe(true);
    expect((written[0] as string).replace('\r\u001B[2K', '')).toHaveLength(59);
    expect(written.slice(1)).toEqual(['\r\u001B[2K', 'warning: careful\n']);
  });
});

describe('duration', () => {
  it('is said as people say it', () => {
    expect([0.04, 9.94, 9.96, 59.4, 61, 3599, 3661, 90_000].map(duration)).toEqual([
      '0.0 s',
      '9.9 s',
      '10 s',
      '59 s',
      '1 min 01 s',
      '59 min 59 s',
      '1 h 01 min',
      '25 h 00 min',
    ]);
  });
});
