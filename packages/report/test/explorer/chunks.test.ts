import { expect, it } from 'vitest';
import { explorerData } from '../../src/explorer/chunks.ts';
import { madeReport } from '../support/temporary.ts';

it('holds every tested utterance once, with what each variant and seed said and whose attention it is', () => {
  const { gather, store } = madeReport({ utterances: 140 });
  const warnings: string[] = [];
  const { index, chunks } = explorerData(gather(), [store], [], (line) => warnings.push(line));
  expect(index.utterances).toHaveLength(140);
  expect(new Set(index.utterances.map((one) => one.id)).size).toBe(140);
  expect(index.variants).toEqual([
    { label: 'full', seeds: [1, 2] },
    { label: 'no-lsma-joo', seeds: [1, 2] },
  ]);
  expect(index.attention).toEqual({
    variant: 'full',
    seed: 1,
    rule: 'last',
    residual: false,
    labelsAsk: true,
    frames: null,
  });
  // the audio set is not in the store: said, and shown by number
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain('random-tiny-made@cccccccc is not in the store, frames are shown by number');
  const [first] = index.utterances;
  expect(first?.said.map((seeds) => seeds.length)).toEqual([2, 2]);
  expect(first?.truth[0]).toBeGreaterThan(0);
  const all = [...chunks()];
  expect(all.map(({ name }) => name)).toEqual(['attention-0', 'attention-1', 'attention-2']);
  for (const one of index.utterances) {
    const mine = all[one.chunk as number]?.data[one.id];
    expect(mine?.spans).toHaveLength(12);
    expect(mine?.tokens?.n).toBe(6);
    expect(Buffer.from(mine?.tokens?.label as string, 'base64')).toHaveLength(24);
    expect(mine?.frames?.labelMax).toEqual([0.2, 0.2, 0.2, 0.2]);
  }
});

it('goes without texts, spans and attention where there are none', () => {
  const { gather, folder } = madeReport({ variants: ['no-lsma-joo'] });
  const data = gather({ utterances: null });
  const { index, chunks } = explorerData(data, [folder], [], () => {});
  expect(index.attention).toBeNull();
  expect(index.utterances[0]).toMatchObject({ text: null, speaker: null, chunk: null });
  expect([...chunks()]).toEqual([]);
});
