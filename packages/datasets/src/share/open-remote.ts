import { homedir } from 'node:os';
import { UserError } from '../base/errors.ts';
import { parseRemote } from './address.ts';
import { FolderRemote } from './folder-remote.ts';
import type { Remote } from './remote.ts';
import { PATIENCE } from './retry.ts';

export interface RemoteOptions {
  /** Relative folders are meant from here. */
  readonly folder: string;
  /** Credentials, endpoints and proxies are looked for in it. */
  readonly environment: NodeJS.ProcessEnv;
  /** Home of ~/.aws and ~/.cache; this account's unless given. */
  readonly home?: string;
  /** Silence after which a connection is given up. */
  readonly silenceMs?: number;
  /** Bytes of a part of an upload to S3 (default 32 MiB; Amazon takes no smaller ones than 5 MiB). */
  readonly partBytes?: number;
}

/**
 * The place that a URL means, nothing asked of it yet. Libraries of a kind of place are loaded when it is one.
 * @throws UserError for a URL or settings that make no sense.
 */
export async function openRemote(text: string, options: RemoteOptions): Promise<Remote> {
  const { environment, home = environment['HOME'] ?? homedir(), silenceMs = PATIENCE.silenceMs } = options;
  const address = parseRemote(text, options.folder);
  if (address.kind === 'folder') return new FolderRemote(address.folder);
  const { HttpClient } = await import('./http.ts');
  if (address.kind === 's3') {
    const { readS3Settings } = await import('./aws-settings.ts');
    const { S3Remote } = await import('./s3-remote.ts');
    const settings = readS3Settings(address, environment, home);
    const { certificates } = settings;
    const client = new HttpClient({ silenceMs, environment, certificates });
    return new S3Remote(address.title, address.prefix, settings, client, options.partBytes);
  }
  const client = new HttpClient({ silenceMs, environment });
  if (address.kind === 'hub') {
    const { HubRemote, readHubSettings } = await import('./hub-remote.ts');
    return new HubRemote(address, readHubSettings(environment, home), client);
  }
  const { basicAuthorization, WebRemote } = await import('./web-remote.ts');
  const { title, url, user, password } = address;
  if (address.kind === 'web') return new WebRemote(title, url, basicAuthorization(user, password), client);
  const { WebDavRemote } = await import('./webdav-remote.ts');
  const name = user || (environment['LSGMER_WEBDAV_USER'] ?? '');
  const word = password || (environment['LSGMER_WEBDAV_PASSWORD'] ?? '');
  if (name === '' && word !== '')
    throw new UserError('LSGMER_WEBDAV_PASSWORD is set, and LSGMER_WEBDAV_USER is not: set both');
  return new WebDavRemote(title, url, basicAuthorization(name, word), client);
}
