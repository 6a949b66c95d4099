import { describe, expect, it } from 'vitest';
import { publishedRows } from '../src/published.ts';

describe('publishedRows', () => {
  it('has the tables of a task, and none for other tasks', () => {
    expect(publishedRows('meld', 'emotion7').map((row) => row.method)).toContain('LSGMER');
    expect(publishedRows('iemocap', '4class')).toHaveLength(14);
    expect(publishedRows('meld', 'sentiment3')).toEqual([]);
  });
});
