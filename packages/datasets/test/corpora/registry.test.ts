import { expect, it } from 'vitest';
import { prepareIemocap } from '../../src/corpora/iemocap.ts';
import { adapterFor } from '../../src/corpora/registry.ts';
import { prepareMeld } from '../../src/corpora/meld.ts';
import { prepareTable } from '../../src/corpora/table.ts';

it('finds adapters by the name in the card', () => {
  expect(adapterFor('iemocap')).toBe(prepareIemocap);
  expect(adapterFor('meld')).toBe(prepareMeld);
  expect(adapterFor('table')).toBe(prepareTable);
});
