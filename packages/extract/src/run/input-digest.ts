import { createHash } from 'node:crypto';
import { type BigIntStats, createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Media, MediaCache, type Utterance, digestJson, sha256Hex } from '@lsgmer/datasets';

/** sha256 of the text: what a text encoder sees of an utterance. */
export function textInput(utterance: Utterance): string {
  return sha256Hex(utterance.text);
}

/**
 * sha256 of media, segment and channel: what an audio encoder sees. An utterance without media has a digest of its own,
 * so that it is computed as soon as it has some.
 */
export function audioInput(utterance: Utterance, mediaDigest: MediaDigests): string {
  const { media } = utterance;
  if (media === null) return digestJson({ media: null });
  const sha256 = media.sha256 ?? mediaDigest.get(media.path) ?? null;
  const channel = media.channel === undefined ? {} : { channel: media.channel };
  return digestJson({ media: sha256, start: media.start ?? null, end: media.end ?? null, ...channel });
}

/** sha256 by path relative to the root, for media whose digest the manifest does not have; null: cannot be read. */
export type MediaDigests = ReadonlyMap<string, string | null>;

/** What the building of a manifest has read. */
const BUILT_CACHE = 'media-cache.json';
/** What was read here: digests alone, without what a header says. */
const OWN_CACHE = 'media-digests.json';

/** What is remembered of a corpus' recordings: by the manifest's building, and by earlier runs. */
export class DigestCaches {
  readonly #built: MediaCache;
  readonly #own: MediaCache;

  /** @param folder of the files; without one all is forgotten */
  constructor(root: string, folder?: string) {
    const cacheOf = (file: string): MediaCache =>
      new MediaCache(folder === undefined ? null : join(folder, file), root);
    this.#built = cacheOf(BUILT_CACHE);
    this.#own = cacheOf(OWN_CACHE);
  }

  /** sha256 of a file that is as it was when it was read; null: not known. */
  find(path: string, info: BigIntStats): string | null {
    return (this.#built.find(path, info, true) ?? this.#own.find(path, info, true))?.sha256 ?? null;
  }

  /** Whether the file was read, as it is or before it was changed. */
  has(path: string): boolean {
    return this.#built.has(path) || this.#own.has(path);
  }

  keep(path: string, info: BigIntStats, sha256: string): void {
    this.#own.keep(path, info, { sha256, seconds: null, sampleRate: null, channels: null });
  }

  save(): void {
    this.#own.save();
  }
}

/**
 * The digests of media that the manifest did not hash (built without reading the files).
 * @param cacheFolder holds files that remember those of unchanged media
 */
export async function digestMedia(
  utterances: readonly Utterance[],
  root: string,
  cacheFolder?: string,
  signal?: AbortSignal,
): Promise<MediaDigests> {
  const digests = new Map<string, string | null>();
  const wanted = utterances.flatMap(({ media }) => (media === null || media.sha256 !== null ? [] : [media]));
  if (wanted.length === 0) return digests;
  const caches = new DigestCaches(root, cacheFolder);
  try {
    for (const media of wanted) {
      if (digests.has(media.path)) continue;
      signal?.throwIfAborted();
      digests.set(media.path, await digestOf(media, root, caches));
    }
  } finally {
    caches.save();
  }
  return digests;
}

/** null where the file cannot be read: decoding says what is wrong with it. */
async function digestOf(media: Media, root: string, caches: DigestCaches): Promise<string | null> {
  const path = mediaPath(root, media);
  const info = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (info === undefined) return null;
  const known = caches.find(media.path, info);
  if (known !== null) return known;
  const sha256 = await digestFile(path);
  if (sha256 !== null) caches.keep(media.path, info, sha256);
  return sha256;
}

/** Absolute path of a recording. */
export function mediaPath(root: string, media: Media): string {
  return join(root, ...media.path.split('/'));
}

/** sha256 of a file; null where it cannot be read. */
export async function digestFile(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  } catch {
    return null;
  }
  return hash.digest('hex');
}
