import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
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
  const cacheOf = (file: string): MediaCache =>
    new MediaCache(cacheFolder === undefined ? null : join(cacheFolder, file), root);
  const [built, own] = [cacheOf(BUILT_CACHE), cacheOf(OWN_CACHE)];
  try {
    for (const media of wanted) {
      if (digests.has(media.path)) continue;
      signal?.throwIfAborted();
      digests.set(media.path, await digestOf(media, root, built, own));
    }
  } finally {
    own.save();
  }
  return digests;
}

/** null where the file cannot be read: decoding says what is wrong with it. */
async function digestOf(
  media: Media,
  root: string,
  built: MediaCache,
  own: MediaCache,
): Promise<string | null> {
  const path = mediaPath(root, media);
  const info = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (info === undefined) return null;
  const known = built.find(media.path, info, true) ?? own.find(media.path, info, true);
  if (known !== null) return known.sha256;
  const sha256 = await digestFile(path);
  if (sha256 !== null)
    own.keep(media.path, info, { sha256, seconds: null, sampleRate: null, channels: null });
  return sha256;
}

/** Absolute path of a recording. */
export function mediaPath(root: string, media: Media): string {
  return join(root, ...media.path.split('/'));
}

async function digestFile(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  } catch {
    return null;
  }
  return hash.digest('hex');
}
