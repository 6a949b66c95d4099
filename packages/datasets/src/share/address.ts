import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../base/errors.ts';

/** Where features are shared, as a URL says it. `title` is what messages show: never a password or token. */
export type RemoteAddress = { readonly title: string } & (
  | { readonly kind: 'folder'; readonly folder: string }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      /** Without slashes at its ends; empty for the bucket itself. */
      readonly prefix: string;
      /** What the URL's query says over environment and AWS files. */
      readonly endpoint: string | null;
      readonly region: string | null;
      readonly profile: string | null;
      readonly style: 'path' | 'virtual' | null;
    }
  | { readonly kind: 'webdav' | 'web'; readonly url: URL; readonly user: string; readonly password: string }
  | { readonly kind: 'hub'; readonly repo: string; readonly revision: string; readonly prefix: string }
);

export const REMOTE_FORMS =
  'a folder, s3://bucket/prefix, webdav(s)://host/path, https://host/path (pull only) or hf://datasets/owner/name[@revision]';

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):/;
const DAV: { readonly [scheme: string]: string } = {
  webdav: 'http:',
  dav: 'http:',
  webdavs: 'https:',
  davs: 'https:',
};

/**
 * Reads a remote's URL.
 * @param folder that relative paths are meant from.
 * @throws UserError that lists the forms; the URL is not repeated where it could hold a password.
 */
export function parseRemote(text: string, folder: string): RemoteAddress {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    if (text.trim() === '') throw wrong('it is empty');
    const path = text.startsWith('~/') ? resolve(homedir(), text.slice(2)) : resolve(folder, text);
    return { kind: 'folder', folder: path, title: path };
  }
  const url = parsed(text, scheme);
  switch (scheme) {
    case 'file': {
      if (url.host !== '' && url.host !== 'localhost') throw wrong('file:// takes a path of this machine');
      const path = fileURLToPath(new URL(`file://${url.pathname}`));
      return { kind: 'folder', folder: path, title: path };
    }
    case 's3':
      return bucketOf(url);
    case 'webdav':
    case 'dav':
    case 'webdavs':
    case 'davs':
    case 'http':
    case 'https':
      return hostOf(url, scheme);
    case 'hf':
      return repositoryOf(text);
    default:
      throw wrong(`"${scheme}:" is not known`);
  }
}

function parsed(text: string, scheme: string): URL {
  try {
    if (!text.toLowerCase().startsWith(`${scheme}://`)) throw new Error();
    return new URL(text);
  } catch {
    throw wrong(`after "${scheme}:" comes "//" and a place`);
  }
}

const wrong = (why: string): UserError =>
  new UserError(`the remote cannot be understood (${why}): expected ${REMOTE_FORMS}`);

const trimmed = (path: string): string => decodeURIComponent(path).replaceAll(/^\/+|\/+$/g, '');

function checkPath(path: string): string {
  if (path.split('/').some((part) => part === '..' || part === '.')) throw wrong('"." and ".." in its path');
  return path;
}

function bucketOf(url: URL): RemoteAddress {
  const { host: bucket, searchParams: query } = url;
  if (url.username !== '' || url.password !== '')
    throw wrong('S3 keys belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or ~/.aws/credentials');
  if (bucket === '') throw wrong('s3:// is followed by a bucket');
  if (!/^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/.test(bucket))
    throw wrong(
      `"${bucket}" is no bucket's name: 3 to 63 characters, lower case, digits, dots and hyphens, a letter or digit at both ends${bucket.includes(':') ? '; a server goes into ?endpoint=' : ''}`,
    );
  const known = ['endpoint', 'region', 'profile', 'style'];
  const unknown = [...query.keys()].filter((key) => !known.includes(key));
  if (unknown.length > 0) throw wrong(`?${unknown[0]}= is not one of ${known.join(', ')}`);
  const style = query.get('style');
  if (style !== null && style !== 'path' && style !== 'virtual') throw wrong('?style= is path or virtual');
  const prefix = checkPath(trimmed(url.pathname));
  return {
    kind: 's3',
    bucket,
    prefix,
    endpoint: query.get('endpoint'),
    region: query.get('region'),
    profile: query.get('profile'),
    style,
    title: `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`,
  };
}

function hostOf(url: URL, scheme: string): RemoteAddress {
  if (url.hostname === '') throw wrong(`${scheme}:// is followed by a host`);
  if (url.search !== '' || url.hash !== '') throw wrong('no "?" or "#" here');
  const path = checkPath(trimmed(url.pathname));
  const place = `${url.host}/${path}`.replace(/\/$/, '');
  const escaped = path.split('/').map(encodeURIComponent).join('/');
  return {
    kind: DAV[scheme] === undefined ? 'web' : 'webdav',
    // ends with a slash, so that paths below it are relative to it
    url: new URL(`${DAV[scheme] ?? url.protocol}//${`${url.host}/${escaped}`.replace(/\/*$/, '/')}`),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    title: `${scheme}://${place}`,
  };
}

const REPOSITORY = /^hf:\/\/datasets\/([A-Za-z0-9][\w.-]*\/[\w.-]+)(?:@([\w.-]+))?(?:\/(.*))?$/;

function repositoryOf(text: string): RemoteAddress {
  const match = REPOSITORY.exec(text);
  if (match === null) throw wrong('a Hugging Face dataset repository is hf://datasets/owner/name');
  const [, repo = '', revision = 'main', rest = ''] = match;
  const prefix = checkPath(trimmed(rest));
  const at = revision === 'main' ? '' : `@${revision}`;
  return {
    kind: 'hub',
    repo,
    revision,
    prefix,
    title: `hf://datasets/${repo}${at}${prefix === '' ? '' : `/${prefix}`}`,
  };
}
