import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'ini';
import { UserError } from '../base/errors.ts';
import type { RemoteAddress } from './address.ts';

type S3Address = Extract<RemoteAddress, { kind: 's3' }>;

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Where a bucket is, and how it is asked. */
export interface S3Settings {
  /** URL of the bucket; ends with a slash. */
  readonly bucket: URL;
  readonly region: string;
  /** Null: requests are not signed (public buckets). */
  readonly credentials: S3Credentials | null;
  /** Where credentials were looked for. */
  readonly looked: string;
  readonly certificates: string | undefined;
}

/**
 * Settings as the AWS tools find them: the URL's query, then AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
 * AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, then the profile (AWS_PROFILE, else default) of
 * ~/.aws/credentials and ~/.aws/config (or AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE). Another endpoint than
 * Amazon's is asked in path style unless `?style=virtual` or `addressing_style = virtual` says otherwise.
 * @throws UserError for a profile that is not there, half a pair of keys, an endpoint that is no URL.
 */
export function readS3Settings(address: S3Address, environment: NodeJS.ProcessEnv, home: string): S3Settings {
  const chosen = address.profile ?? nonEmpty(environment['AWS_PROFILE']);
  const profile = readProfile(chosen, environment, home);
  const region =
    address.region ??
    nonEmpty(environment['AWS_REGION']) ??
    nonEmpty(environment['AWS_DEFAULT_REGION']) ??
    profile.values['region'] ??
    'us-east-1';
  const endpoint =
    address.endpoint ??
    nonEmpty(environment['AWS_ENDPOINT_URL_S3']) ??
    nonEmpty(environment['AWS_ENDPOINT_URL']) ??
    profile.values['endpoint_url'] ??
    null;
  const said = profile.values['addressing_style'];
  const wish = address.style ?? (said === 'path' || said === 'virtual' ? said : null);
  // a bucket with dots does not fit Amazon's certificates as a host name
  const style = wish ?? (endpoint !== null || address.bucket.includes('.') ? 'path' : 'virtual');
  const host = endpointUrl(endpoint ?? `https://s3.${region}.amazonaws.com`);
  return {
    bucket: bucketUrl(host, address.bucket, style),
    region,
    credentials: credentialsOf(address, environment, profile),
    looked: profile.looked,
    certificates: nonEmpty(environment['AWS_CA_BUNDLE']) ?? profile.values['ca_bundle'],
  };
}

const nonEmpty = (text: string | undefined): string | undefined =>
  text === undefined || text === '' ? undefined : text;

function endpointUrl(text: string): URL {
  try {
    const url = new URL(text);
    if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  } catch {
    // said below
  }
  throw new UserError(
    'the S3 endpoint is not a URL: expected http(s)://host[:port] (AWS_ENDPOINT_URL_S3 or ?endpoint=)',
  );
}

function bucketUrl(host: URL, bucket: string, style: 'path' | 'virtual'): URL {
  const url = new URL(host.href.endsWith('/') ? host.href : `${host.href}/`);
  if (style === 'path') return new URL(`${bucket}/`, url);
  url.hostname = `${bucket}.${url.hostname}`;
  return url;
}

interface Profile {
  readonly values: { readonly [key: string]: string };
  readonly looked: string;
}

function readProfile(chosen: string | undefined, environment: NodeJS.ProcessEnv, home: string): Profile {
  const name = chosen ?? 'default';
  const credentialsFile = environment['AWS_SHARED_CREDENTIALS_FILE'] ?? join(home, '.aws', 'credentials');
  const configFile = environment['AWS_CONFIG_FILE'] ?? join(home, '.aws', 'config');
  const credentials = readSections(credentialsFile);
  const config = readSections(configFile);
  const inConfig = config[name === 'default' ? 'default' : `profile ${name}`];
  if (chosen !== undefined && credentials[name] === undefined && inConfig === undefined) {
    const names = [
      ...new Set([
        ...Object.keys(credentials),
        ...Object.keys(config).map((key) => key.replace(/^profile /, '')),
      ]),
    ];
    throw new UserError(
      `there is no AWS profile "${chosen}" in ${credentialsFile} or ${configFile}: they have ${names.sort().join(', ') || 'none'}`,
    );
  }
  return {
    values: { ...inConfig, ...credentials[name] },
    looked: `AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, profile ${name} of ${credentialsFile} and ${configFile}`,
  };
}

/** Sections of an ini file; dots in names are no nesting here. Empty where there is no file. */
function readSections(file: string): { [section: string]: { [key: string]: string } } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return {};
    throw new UserError(`${file} cannot be read (${code ?? 'error'})`);
  }
  const sections: { [section: string]: { [key: string]: string } } = {};
  for (const [, name = '', body = ''] of text.matchAll(/^\s*\[([^\]\n]+)\]([^]*?)(?=^\s*\[|$(?![^]))/gm)) {
    const values = Object.entries(parse(body)).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    );
    sections[name.trim().replaceAll(/\s+/g, ' ')] = Object.fromEntries(values);
  }
  return sections;
}

function credentialsOf(
  { profile: asked }: S3Address,
  environment: NodeJS.ProcessEnv,
  { values, looked }: Profile,
): S3Credentials | null {
  const fromEnvironment = {
    id: nonEmpty(environment['AWS_ACCESS_KEY_ID']),
    secret: nonEmpty(environment['AWS_SECRET_ACCESS_KEY']),
    token: nonEmpty(environment['AWS_SESSION_TOKEN']),
  };
  const fromProfile = {
    id: values['aws_access_key_id'],
    secret: values['aws_secret_access_key'],
    token: values['aws_session_token'],
  };
  // a profile that the URL names is meant; otherwise the environment is nearer
  const order = asked === null ? [fromEnvironment, fromProfile] : [fromProfile, fromEnvironment];
  const { id, secret, token } =
    order.find((one) => one.id !== undefined || one.secret !== undefined) ?? fromProfile;
  if (id !== undefined && secret !== undefined)
    return {
      accessKeyId: id,
      secretAccessKey: secret,
      ...(token === undefined ? {} : { sessionToken: token }),
    };
  if (id !== undefined || secret !== undefined)
    throw new UserError(`one half of the S3 keys is missing (looked in ${looked})`);
  if (values['sso_session'] ?? values['sso_start_url'] ?? values['credential_process'] ?? values['role_arn'])
    throw new UserError(
      'this AWS profile takes its keys from a program or a login, which is not read here: run `eval "$(aws configure export-credentials --format env)"` first',
    );
  return null;
}
