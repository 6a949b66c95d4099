import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { type Manifest, ManifestInfo } from '../manifest/manifest-file.ts';
import { contentFile } from './outgoing.ts';
import { manifestPath, type RemoteDataset } from './remote-dataset.ts';
import type { Outgoing, Remote } from './remote.ts';
import type { ShareReport } from './share-report.ts';

/** What to do when the other side has another manifest. */
export type ManifestWish = 'keep' | 'replace' | undefined;

/**
 * A restricted corpus goes where outsiders cannot read, and only there.
 * @throws UserError without the caller's word for it, or where the place says that it is public.
 */
export async function refuseLeak(
  remote: Remote,
  { card }: Manifest,
  said: boolean | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (!card.restricted) return;
  const why =
    `${card.name} is a restricted corpus (${card.licence}): its transcripts, and features from which texts and voices ` +
    'can be guessed, may only go where nobody without that licence can read';
  if (said !== true) throw new UserError(`${why}; if ${remote.title} is such a place, push with --private`);
  if ((await remote.isPrivate?.(signal)) === false)
    throw new UserError(`${why}; ${remote.title} is public: make it private first`);
}

/** What becomes of the manifest. @throws UserError where the remote has another one and nobody said what then. */
export async function manifestState(
  there: RemoteDataset,
  { info }: Manifest,
  wish: ManifestWish,
  title: string,
): Promise<ShareReport['manifest']> {
  const bytes = await there.manifestInfo();
  if (bytes === null) return 'new';
  const parsed = ManifestInfo.safeParse(jsonOrNull(bytes));
  if (parsed.success && parsed.data.manifest.sha256 === info.manifest.sha256) return 'there';
  if (wish === 'keep') return 'kept';
  if (wish === 'replace') return 'replaced';
  const theirs = parsed.success
    ? `${parsed.data.manifest.sha256.slice(0, 12)}, ${parsed.data.manifest.rows} utterances`
    : 'a damaged one';
  throw new UserError(
    `${title} has another manifest of ${there.dataset} (${theirs}) than your store (${info.manifest.sha256.slice(0, 12)}, ${info.manifest.rows} utterances): push with --manifest replace if yours is the right one, or --manifest keep to leave theirs`,
  );
}

function jsonOrNull(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown;
  } catch {
    return null;
  }
}

/** The rows, then manifest.json, where they go over. */
export async function outgoingManifest(
  there: RemoteDataset,
  { file, info }: Manifest,
  state: ShareReport['manifest'],
): Promise<Outgoing[]> {
  if (state !== 'new' && state !== 'replaced') return [];
  const { sha256, bytes } = info.manifest;
  const path = `${there.dataset}/${info.manifest.file}`;
  const description = join(dirname(dirname(file)), 'manifest.json');
  const rows: Outgoing = { path, bytes, sha256, source: { file } };
  const has = (await there.size(path)) === bytes;
  return [...(has ? [] : [rows]), contentFile(manifestPath(there.dataset), readFileSync(description))];
}
