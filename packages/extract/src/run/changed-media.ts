import { type BigIntStats, statSync } from 'node:fs';
import { type Media, type Reporter, UserErrors, type Utterance, silent } from '@lsgmer/datasets';
import { DigestCaches, digestFile, mediaPath } from './input-digest.ts';

/** What progress calls the reading of recordings that nobody remembers. */
export const COMPARING = 'compared with the manifest';

/** Changed recordings that are shown; the rest is counted. */
const SHOWN = 10;

export interface MediaCheck {
  readonly dataset: string;
  readonly root: string;
  /** All utterances whose sound is wanted. */
  readonly utterances: readonly Utterance[];
  /** Those of them that are going to be computed. */
  readonly computed: Iterable<Utterance>;
  /** Holds files that remember the digests of unchanged media. */
  readonly cacheFolder?: string | undefined;
  readonly reporter?: Reporter;
  readonly signal?: AbortSignal | undefined;
}

/** A recording whose digest must be looked at: nobody remembers it as it is. */
interface Unknown {
  readonly utterance: Utterance;
  readonly media: Media;
  readonly info: BigIntStats;
}

/**
 * Refuses recordings that are not those of the manifest: their features would stand under the digest of another
 * recording. Of a file that is remembered as it is (size, mtime, inode) nothing is read; another one is read whole when its
 * features are going to be computed, or when it is remembered otherwise. Files that are gone are left to decoding.
 * @throws UserErrors that name all of them with both digests.
 */
export async function refuseChangedMedia(check: MediaCheck): Promise<void> {
  const { dataset, root, reporter = silent, signal } = check;
  const caches = new DigestCaches(root, check.cacheFolder);
  const { problems, unknown } = remembered(check, caches);
  try {
    for (const [i, { utterance, media, info }] of unknown.entries()) {
      signal?.throwIfAborted();
      const sha256 = await digestFile(mediaPath(root, media));
      if (sha256 === null) continue;
      caches.keep(media.path, info, sha256);
      if (sha256 !== media.sha256) problems.push(describe(utterance, media, sha256));
      reporter.progress({ task: COMPARING, done: i + 1, total: unknown.length, unit: 'recordings' });
    }
  } finally {
    caches.save();
  }
  if (problems.length === 0) return;
  const more = problems.length - SHOWN;
  throw new UserErrors([
    ...problems.slice(0, SHOWN),
    ...(more > 0 ? [`... and ${more} more`] : []),
    `${root} is not what the manifest of ${dataset} was built from: build it anew (\`lsgmer manifest build --dataset ${dataset} --root ${root}\`) ` +
      'and run this again, which computes only what has changed; or name the folder that it was built from (--root)',
  ]);
}

/** What the caches know of each recording, once. */
function remembered(
  { root, utterances, computed }: MediaCheck,
  caches: DigestCaches,
): { problems: string[]; unknown: Unknown[] } {
  const read = new Set([...computed].map(({ media }) => media?.path));
  const seen = new Set<string>();
  const problems: string[] = [];
  const unknown: Unknown[] = [];
  for (const utterance of utterances) {
    const { media } = utterance;
    if (media === null || media.sha256 === null || seen.has(media.path)) continue;
    seen.add(media.path);
    const info = statSync(mediaPath(root, media), { bigint: true, throwIfNoEntry: false });
    if (info === undefined) continue;
    const sha256 = caches.find(media.path, info);
    if (sha256 === null) {
      if (read.has(media.path) || caches.has(media.path)) unknown.push({ utterance, media, info });
    } else if (sha256 !== media.sha256) problems.push(describe(utterance, media, sha256));
  }
  return { problems, unknown };
}

function describe({ id }: Utterance, media: Media, sha256: string): string {
  const [was, is] = [media.sha256 as string, sha256].map((digest) => digest.slice(0, 12));
  return `${media.path} (${id}) has changed since the manifest was built: its sha256 was ${was}, and is ${is}`;
}
