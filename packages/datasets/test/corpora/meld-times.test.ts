import { expect, it } from 'vitest';
import { parseMeldTime } from '../../src/corpora/meld-times.ts';

it('reads times of both forms, and three digits or fewer behind the comma', () => {
  expect(parseMeldTime('00:16:16,059')).toEqual({ seconds: 976.059, text: '00:16:16,059', regular: true });
  expect(parseMeldTime('0:12:32,632')).toEqual({ seconds: 752.632, text: '00:12:32,632', regular: true });
  expect(parseMeldTime(' 00:05:11,82 ')).toEqual({ seconds: 311.082, text: '00:05:11,082', regular: false });
});

it('takes nothing else for a time', () => {
  for (const text of ['', '12:32,632', '00:61:00,000', '00:00:60,000', '00:00:01.500', '00:00:01', 'noon'])
    expect(parseMeldTime(text), text).toBeNull();
});
