import { expect, it } from 'vitest';
import { compareIds, ID_PATTERN } from '../../src/manifest/utterance.ts';

it('orders by UTF-8 bytes, whatever the characters are', () => {
  // a private use character comes before an emoji in UTF-8, behind it in UTF-16
  const sorted = ['', 'd/a', 'd/a.b', 'd/a_b', 'd/b', 'd/\u00e9', 'd/\ue000', 'd/\u{1f600}'];
  expect(sorted.toReversed().sort(compareIds)).toEqual(sorted);
  for (const a of sorted) {
    for (const b of sorted) {
      const bytes = Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(Math.sign(compareIds(a, b)), `${a} ${b}`).toBe(bytes);
    }
  }
});

it('takes paths of two parts or more for ids', () => {
  for (const id of ['meld/train/dia0_utt0', 'd/a', 'd/..a']) expect(ID_PATTERN.test(id), id).toBe(true);
  for (const id of ['d', 'd/', '/d', 'd/../a', './a', 'd/a b', 'd/\u00e9'])
    expect(ID_PATTERN.test(id), id).toBe(false);
});
