import { sha256Hex } from '../base/canonical-json.ts';
import { UserError } from '../base/errors.ts';
import { bodyOf } from './body.ts';
import type { NamedFile } from './catalogue.ts';
import { TransferFailure } from './failure.ts';
import type { Remote } from './remote.ts';
import { type Patience, persistently } from './retry.ts';

/** What every part of a transfer needs. */
export interface Transfer {
  readonly remote: Remote;
  readonly patience: Patience;
  readonly signal?: AbortSignal | undefined;
}

/** No index part or manifest of a real corpus comes near it. */
const MOST_BYTES = 1 << 30;

/**
 * A file that is read whole: an index part, a manifest. Null where there is none.
 * @param named its size and digest, where they are known.
 * @throws UserError when it comes with other bytes than its name or the catalogue says, several times.
 */
export async function readSmall(
  { remote, patience, signal }: Transfer,
  path: string,
  named?: Partial<NamedFile>,
): Promise<Uint8Array | null> {
  let wrong = 0;
  for (;;) {
    const bytes = await persistently(patience, signal, () => readOnce(remote, path, signal));
    if (bytes === null || named === undefined) return bytes;
    const sizeFits = named.bytes === undefined || named.bytes === bytes.length;
    if (sizeFits && (named.sha256 === undefined || named.sha256 === sha256Hex(bytes))) return bytes;
    if (++wrong > 1)
      throw new UserError(
        `${remote.title}/${path} is not what it should be (sha256 ${sha256Hex(bytes)}, expected ${named.sha256 ?? `${named.bytes} bytes`}): the copy there is damaged; push it again from a whole store`,
      );
  }
}

async function readOnce(remote: Remote, path: string, signal?: AbortSignal): Promise<Uint8Array | null> {
  const received = await remote.read(path, 0, signal);
  if (received === null) return null;
  const { total, body } = received;
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of bodyOf(body, `GET ${remote.title}/${path}`, signal)) {
    bytes += piece.length;
    if (bytes > MOST_BYTES)
      throw new UserError(`${remote.title}/${path} has more than 1 GiB: this is no file of lsgmer`);
    pieces.push(piece);
  }
  if (total !== null && bytes !== total)
    throw new TransferFailure('cut', `GET ${remote.title}/${path}: ${bytes} of ${total} bytes came`);
  return Buffer.concat(pieces);
}
