import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { type Media, type Utterance, digestJson, sha256Hex } from '@lsgmer/datasets';

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

/** Reads the media whose digest the manifest lacks (built without reading the files). */
export async function digestMedia(
  utterances: readonly Utterance[],
  root: string,
  signal?: AbortSignal,
): Promise<MediaDigests> {
  const digests = new Map<string, string | null>();
  for (const { media } of utterances) {
    if (media === null || media.sha256 !== null || digests.has(media.path)) continue;
    signal?.throwIfAborted();
    digests.set(media.path, await digestFile(mediaPath(root, media)));
  }
  return digests;
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
    // Decoding says what is wrong with the file.
    return null;
  }
  return hash.digest('hex');
}
