import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { ModelFeature } from '../../src/models/model-features.ts';
import { makeTinyModel } from '../../src/models/tiny.ts';
import { DEFAULT_DECODE_POLICY } from '../../src/decode/policy.ts';
import { featureSpecOf } from '../../src/run/feature-set.ts';
import { textInput } from '../../src/run/input-digest.ts';
import { planSet } from '../../src/run/plan.ts';
import { utterance } from './corpus.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-plan-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('planSet leaves out what is done, keeps the order, and tells failures from changes', () => {
  const model = makeTinyModel('random-tiny-roberta', folder, ['one']);
  const spec = featureSpecOf(model, model.features[0] as ModelFeature, {
    dataset: 'x',
    policy: DEFAULT_DECODE_POLICY,
    dtype: 'float16',
    provenance: {},
  });
  const rows = ['e', 'd', 'c', 'b', 'a'].map((name) => utterance(`x/${name}`, { text: name }));
  const held = (name: string, input: string): [string, never] => [
    `x/${name}`,
    { input, revision: 0, reason: 'broken' } as never,
  ];
  const input = (i: number): string => textInput(rows[i] as (typeof rows)[0]);
  const index = {
    rows: new Map([held('d', input(1)), held('c', 'of another text')]),
    quarantined: new Map([held('b', input(3))]),
  };
  const plan = planSet(model, 0, spec, rows, index, new Map(), false);
  expect(plan.rows.map(({ utterance: row, order }) => [row.id, order])).toEqual([
    ['x/e', 0],
    ['x/c', 2],
    ['x/a', 4],
  ]);
  expect(plan).toMatchObject({ stale: 1, done: 1, quarantined: [{ id: 'x/b', reason: 'broken' }] });
  const retried = planSet(model, 0, spec, rows, index, new Map(), true);
  expect(retried.rows.map(({ utterance: row }) => row.id)).toEqual(['x/e', 'x/c', 'x/b', 'x/a']);
  expect(retried.quarantined).toEqual([]);
});
