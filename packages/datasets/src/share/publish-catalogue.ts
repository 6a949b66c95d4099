import { sha256Hex } from '../base/canonical-json.ts';
import { UserError } from '../base/errors.ts';
import {
  type Catalogue,
  type CataloguedSet,
  cataloguePath,
  encodeCatalogue,
  mergeCatalogues,
  type NamedFile,
} from './catalogue.ts';
import { contentFile } from './outgoing.ts';
import { RemoteDataset } from './remote-dataset.ts';
import type { Transfer } from './small-file.ts';
import { sendAll } from './upload.ts';

/** Others may push at the same time: times that the catalogue is written anew until it says all that is there. */
const MOST_WRITES = 8;

/**
 * Writes `share.json` after what it names. Where the place can list, it is made from the list, and the list is looked
 * at once more afterwards: of several pushers, the last one to write has seen what all others wrote.
 * @param own what this pusher knows to be there: a list may lag behind, and some places have none.
 * @returns bytes written.
 */
export async function publishCatalogue(transfer: Transfer, dataset: string, own: Catalogue): Promise<number> {
  let written = 0;
  for (let turn = 0; turn < MOST_WRITES; turn++) {
    const now = await RemoteDataset.open(transfer, dataset);
    const wanted = encodeCatalogue(await catalogueOf(now, own));
    if (now.catalogue !== null && Buffer.compare(encodeCatalogue(now.catalogue), wanted) === 0)
      return written;
    await sendAll(transfer, [contentFile(cataloguePath(dataset), wanted)], 1);
    written += wanted.length;
  }
  throw new UserError(
    `${transfer.remote.title}/${cataloguePath(dataset)} changes all the time: wait for other pushers, then push again`,
  );
}

/** What a remote has, by its list or else by its catalogue, together with what is known to have been written. */
export async function catalogueOf(now: RemoteDataset, own: Catalogue): Promise<Catalogue> {
  if (now.files === null) return mergeCatalogues(now.catalogue, own);
  const sets: CataloguedSet[] = [];
  for (const name of now.setNames()) {
    const bytes = await now.specBytes(name);
    if (bytes === null) continue;
    const { feature, fingerprint } = name;
    sets.push({ feature, fingerprint, spec: describe(bytes), parts: now.partNames(name) });
  }
  const manifest = await now.manifestInfo();
  const listed: Catalogue = {
    format: 1,
    dataset: now.dataset,
    manifest: manifest === null ? null : describe(manifest),
    sets,
  };
  return mergeCatalogues(own, listed);
}

export const describe = (bytes: Uint8Array): NamedFile => ({ bytes: bytes.length, sha256: sha256Hex(bytes) });
