import { expect, it } from 'vitest';
import { z } from 'zod';
import { schemaProblems } from '../../src/base/schema-problems.ts';

it('gives one line for each problem, with its path', () => {
  const schema = z.strictObject({
    name: z.string(),
    list: z.array(z.strictObject({ n: z.number() })),
    counts: z.record(z.string(), z.number()),
  });
  const parsed = schema.safeParse({
    name: 1,
    list: [{ n: 2 }, { n: 'x', m: 1 }],
    counts: { a: null },
    extra: 0,
  });
  expect(schemaProblems(parsed.error as z.ZodError)).toEqual([
    'name: expected string, received number',
    'list[1].n: expected number, received string',
    'list[1].m: no such key',
    'counts.a: expected number, received null',
    'extra: no such key',
  ]);
  expect(schemaProblems(schema.safeParse(null).error as z.ZodError)).toEqual([
    '(whole): expected object, received null',
  ]);
});
