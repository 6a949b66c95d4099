import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { sha256Hex } from '../base/canonical-json.ts';
import { UserError } from '../base/errors.ts';
import type { Outgoing } from './remote.ts';

const PIECE_BYTES = 1 << 20;

/**
 * The bytes of a file on its way out. They are checked while they go: the last piece is held back until the sha256
 * of all is right, so a file that is damaged here never becomes whole there.
 * @throws UserError when it is not what its sha256 says.
 */
export async function* piecesOf(file: Outgoing): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let held: Uint8Array | null = null;
  for await (const piece of rawPieces(file)) {
    hash.update(piece);
    if (held !== null) {
      yield held;
      file.onBytes?.(held.length);
    }
    held = piece;
  }
  const found = hash.digest('hex');
  if (found !== file.sha256) throw damagedHere(file, found);
  if (held === null) return;
  yield held;
  file.onBytes?.(held.length);
}

async function* rawPieces({ source }: Outgoing): AsyncGenerator<Uint8Array> {
  if ('content' in source) {
    yield source.content;
    return;
  }
  try {
    for await (const piece of createReadStream(source.file, { highWaterMark: PIECE_BYTES }))
      yield piece as Buffer;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw goneHere(source.file);
  }
}

/** @param found sha256 of what lies here */
export function damagedHere({ source, path, sha256 }: Outgoing, found: string): UserError {
  const where = 'file' in source ? source.file : path;
  return new UserError(
    `${where} is damaged (sha256 ${found}, expected ${sha256}) and is not sent: run \`lsgmer features repair\`, then push again`,
  );
}

export const goneHere = (path: string): UserError =>
  new UserError(`${path} is gone: run \`lsgmer features verify\`, then push again`);

/** A small file made from what it holds. */
export function contentFile(path: string, bytes: Uint8Array): Outgoing {
  return { path, bytes: bytes.length, sha256: sha256Hex(bytes), source: { content: bytes } };
}
