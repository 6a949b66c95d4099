import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { UserError } from '../base/errors.ts';
import { hasContent } from '../manifest/manifest-damage.ts';
import { type Manifest, ManifestInfo, parseManifest, readManifest } from '../manifest/manifest-file.ts';
import { orUserError } from '../store/disk-error.ts';
import type { ManifestWish } from './push-manifest.ts';
import { manifestPath, type RemoteDataset } from './remote-dataset.ts';
import type { ShareReport } from './share-report.ts';
import { readSmall, type Transfer } from './small-file.ts';

/** What becomes of the manifest in a pull. */
export interface PulledManifest {
  readonly state: ShareReport['manifest'];
  /** Bytes that came for it. */
  readonly bytes: number;
  /** Files that are written when everything else is there; relative to the dataset's folder, in this order. */
  readonly files: readonly { readonly path: string; readonly bytes: Uint8Array }[];
  readonly dataset: string;
  readonly splitOf: (id: string) => string | null;
}

/**
 * Fetches the manifest where the store has none, or another one that is to be replaced.
 * @throws UserError where it is damaged; or the store's is, and is not to be replaced.
 */
export async function planManifest(
  transfer: Transfer,
  there: RemoteDataset,
  stores: readonly string[],
  store: string,
  wish: ManifestWish,
): Promise<PulledManifest> {
  const { dataset } = there;
  const own = ownManifest(stores, dataset, wish);
  const bytes = await there.manifestInfo();
  const stays = (state: ShareReport['manifest']): PulledManifest => {
    const splits = new Map(own?.utterances.map(({ id, split }) => [id, split]) ?? []);
    return { state, bytes: 0, files: [], dataset, splitOf: (id) => splits.get(id) ?? null };
  };
  if (bytes === null) return stays('none');
  const where = `${transfer.remote.title}/${manifestPath(dataset)}`;
  const info = parseInfo(bytes, where);
  if (info.dataset !== dataset)
    throw new UserError(`${where} is that of ${info.dataset}: it lies in the wrong folder there`);
  if (own !== null && own.info.manifest.sha256 === info.manifest.sha256) return stays('there');
  if (own !== null && wish !== 'replace') return stays('kept');
  const { file, sha256, bytes: size } = info.manifest;
  const rows = await readSmall(transfer, `${dataset}/${file}`, { sha256, bytes: size });
  if (rows === null) throw new UserError(`${where} names ${file}, which is not there: push it again`);
  const utterances = parseManifest(
    Buffer.from(rows).toString('utf8'),
    `${transfer.remote.title}/${dataset}/${file}`,
  );
  const splits = new Map(utterances.map(({ id, split }) => [id, split]));
  const known = hasContent(join(store, dataset, file), sha256);
  return {
    state: own === null ? 'new' : 'replaced',
    bytes: rows.length + bytes.length,
    files: [...(known ? [] : [{ path: file, bytes: rows }]), { path: 'manifest.json', bytes }],
    dataset,
    splitOf: (id) => splits.get(id) ?? null,
  };
}

function ownManifest(stores: readonly string[], dataset: string, wish: ManifestWish): Manifest | null {
  if (!stores.some((one) => existsSync(join(one, dataset, 'manifest.json')))) return null;
  try {
    return readManifest(stores, dataset);
  } catch (error) {
    if (wish === 'replace' && error instanceof UserError) return null;
    throw error;
  }
}

function parseInfo(bytes: Uint8Array, where: string): ManifestInfo {
  try {
    const parsed = ManifestInfo.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    if (parsed.success) return parsed.data;
  } catch {
    // said below
  }
  throw new UserError(
    `${where} is damaged, or of another version of lsgmer: push it again with --manifest replace`,
  );
}

/** Writes what was fetched; manifest.json last. */
export function takeManifest({ dataset, files }: PulledManifest, store: string): void {
  for (const { path, bytes } of files) {
    const target = join(store, dataset, path);
    orUserError(target, () => writeFileAtomic(target, bytes));
  }
}
