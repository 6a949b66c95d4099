import { UserError } from '@lsgmer/datasets';
import { concat } from './concat.ts';
import type { Head } from './contract.ts';
import { crossModal } from './cross-attention.ts';
import { leMer } from './le-mer.ts';
import { lsgmer } from './lsgmer.ts';
import { audioOnly, textOnly } from './single-modality.ts';

/** The heads that come with lsgmer, the default first. */
export const KNOWN_HEADS: readonly Head[] = [lsgmer, leMer, crossModal, concat, textOnly, audioOnly];

/** @throws UserError that lists the names */
export function headByName(name: string): Head {
  const found = KNOWN_HEADS.find((head) => head.name === name);
  if (found !== undefined) return found;
  const names = KNOWN_HEADS.map((head) => head.name).join(', ');
  throw new UserError(`no head '${name}': there are ${names}, or give the path of a file (./my-head.ts)`);
}
