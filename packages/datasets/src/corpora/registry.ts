import { UserError } from '../base/errors.ts';
import type { Card } from '../manifest/card.ts';
import type { Prepare } from './adapter.ts';
import { prepareIemocap } from './iemocap.ts';
import { prepareMeld } from './meld.ts';
import { prepareTable } from './table.ts';

const ADAPTERS: Partial<Record<Card['adapter'], Prepare>> = {
  iemocap: prepareIemocap,
  meld: prepareMeld,
  table: prepareTable,
};

/**
 * The adapter that a card names.
 * @throws UserError where this version has none of that name.
 */
export function adapterFor(name: Card['adapter']): Prepare {
  const adapter = ADAPTERS[name];
  if (adapter === undefined) {
    throw new UserError(
      `no adapter '${name}' in this version: there are ${Object.keys(ADAPTERS).join(', ')}`,
    );
  }
  return adapter;
}
