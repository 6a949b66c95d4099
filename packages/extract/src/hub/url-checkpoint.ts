import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Reporter, UserError } from '@lsgmer/datasets';
import { download, reasonOf } from './download.ts';

/** As torchvision names its checkpoints: the first digits of the file's sha256. */
const NAME = /^[\w.-]+-([0-9a-f]{8,64})\.(pth|pt|bin|safetensors)$/;

/**
 * A checkpoint by its address, in the cache that torch.hub shares (TORCH_HOME/hub/checkpoints).
 * @returns its path
 * @throws UserError when it cannot be fetched, its name has no digest, or its content another one
 */
export async function fetchCheckpoint(
  url: string,
  cache: string,
  offline: boolean,
  reporter: Reporter,
  signal?: AbortSignal,
): Promise<string> {
  const name = new URL(url).pathname.split('/').at(-1) ?? '';
  const [, digits] = NAME.exec(name) ?? [];
  if (digits === undefined) {
    throw new UserError(
      `${url}: a checkpoint by its address needs the first digits of its sha256 in its name, as in alexnet-owt-7be5be79.pth: ` +
        'fetch it yourself and give the file',
    );
  }
  const target = join(cache, name);
  // Checked when it was fetched, by torch or here.
  if (existsSync(target)) return target;
  if (offline)
    throw new UserError(`${target} is missing, and --offline allows no network call: fetch it from ${url}`);
  reporter.info(`fetching ${url} to ${target}`);
  await download({
    target,
    from: url,
    expected: { sha256: digits },
    open: (from) => openUrl(url, from, target, signal),
    reporter,
    ...(signal === undefined ? {} : { signal }),
  });
  return target;
}

async function openUrl(
  url: string,
  from: number,
  target: string,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  let response: Response;
  try {
    response = await fetch(url, {
      headers: from === 0 ? {} : { Range: `bytes=${from}-` },
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw new Error(`${reasonOf(error)}; it belongs to ${target}`, { cause: error });
  }
  // All of it is there already.
  if (response.status === 416) return none();
  if (!response.ok)
    throw new UserError(`${url}: the server says ${response.status}; the file belongs to ${target}`);
  if (from > 0 && response.status !== 206)
    throw new UserError(`${url}: the server cannot go on at byte ${from}: remove ${target}*.incomplete`);
  return (response.body as unknown as AsyncIterable<Uint8Array> | null) ?? none();
}

// An empty stream.
async function* none(): AsyncGenerator<Uint8Array> {}
