import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseRemote } from '../../src/share/address.ts';
import { readS3Settings, type S3Settings } from '../../src/share/aws-settings.ts';
import { putFiles, temporaryFolder } from '../support.ts';

const CREDENTIALS = `
# keys of the lab
[default]
aws_access_key_id = DEFAULTKEY
aws_secret_access_key = abc/DEF+gh=

[ser.lab]
aws_access_key_id=LABKEY
aws_secret_access_key=labsecret
aws_session_token=labtoken
`;
const CONFIG = `
[default]
region = eu-central-1
[profile ser.lab]
region = us-west-2
endpoint_url = https://minio.example.org:9000
s3 =
    addressing_style = virtual
[profile login]
sso_session = corporate
`;

function settings(address: string, environment: NodeJS.ProcessEnv = {}, home = '/nonexistent'): S3Settings {
  const parsed = parseRemote(address, '/');
  if (parsed.kind !== 's3') throw new Error('not S3');
  return readS3Settings(parsed, environment, home);
}

function home(): string {
  const folder = temporaryFolder();
  putFiles(folder, { '.aws/credentials': CREDENTIALS, '.aws/config': CONFIG });
  return folder;
}

describe('readS3Settings', () => {
  it('finds Amazon in virtual-host style, and another endpoint in path style', () => {
    expect(settings('s3://bucket/p')).toMatchObject({ region: 'us-east-1', credentials: null });
    expect(settings('s3://bucket/p').bucket.href).toBe('https://bucket.s3.us-east-1.amazonaws.com/');
    expect(settings('s3://my.bucket/p').bucket.href).toBe('https://s3.us-east-1.amazonaws.com/my.bucket/');
    const minio = { AWS_ENDPOINT_URL: 'http://localhost:9000', AWS_REGION: 'lab' };
    expect(settings('s3://bucket', minio).bucket.href).toBe('http://localhost:9000/bucket/');
    expect(settings('s3://bucket?style=virtual', minio).bucket.href).toBe('http://bucket.localhost:9000/');
    const both = { ...minio, AWS_ENDPOINT_URL_S3: 'https://s3.example.org/under' };
    expect(settings('s3://bucket', both).bucket.href).toBe('https://s3.example.org/under/bucket/');
    expect(settings('s3://bucket?endpoint=http://other:1&region=x', both)).toMatchObject({ region: 'x' });
    expect(() => settings('s3://bucket', { AWS_ENDPOINT_URL: 'localhost' })).toThrow(/endpoint is not a URL/);
  });

  it('takes keys from the environment first, then from the usual files', () => {
    const keys = { AWS_ACCESS_KEY_ID: 'K', AWS_SECRET_ACCESS_KEY: 'S' };
    expect(settings('s3://bucket', keys, home()).credentials).toEqual({
      accessKeyId: 'K',
      secretAccessKey: 'S',
    });
    expect(settings('s3://bucket', { ...keys, AWS_SESSION_TOKEN: 'T' }).credentials).toMatchObject({
      sessionToken: 'T',
    });
    expect(settings('s3://bucket', {}, home())).toMatchObject({
      region: 'eu-central-1',
      credentials: { accessKeyId: 'DEFAULTKEY', secretAccessKey: 'abc/DEF+gh=' },
    });
    const lab = settings('s3://bucket', { AWS_PROFILE: 'ser.lab' }, home());
    expect(lab).toMatchObject({
      region: 'us-west-2',
      credentials: { accessKeyId: 'LABKEY', secretAccessKey: 'labsecret', sessionToken: 'labtoken' },
    });
    expect(lab.bucket.href).toBe('https://bucket.minio.example.org:9000/');
    // a profile in the address is meant
    expect(settings('s3://bucket?profile=ser.lab', keys, home()).credentials).toMatchObject({
      accessKeyId: 'LABKEY',
    });
    const folder = home();
    const files = {
      AWS_SHARED_CREDENTIALS_FILE: join(folder, '.aws/credentials'),
      AWS_CONFIG_FILE: join(folder, '.aws/config'),
    };
    expect(settings('s3://bucket', files)).toMatchObject({ region: 'eu-central-1' });
  });

  it('says what is missing, without what is there', () => {
    expect(() => settings('s3://bucket', { AWS_PROFILE: 'lba' }, home())).toThrow(
      /no AWS profile "lba" .* they have default, login, ser\.lab/,
    );
    expect(() => settings('s3://bucket', { AWS_ACCESS_KEY_ID: 'ONLYHALF' })).toThrow(
      /one half of the S3 keys/,
    );
    expect(() => settings('s3://bucket', { AWS_ACCESS_KEY_ID: 'ONLYHALF' })).not.toThrow(/ONLYHALF/);
    expect(() => settings('s3://bucket', { AWS_PROFILE: 'login' }, home())).toThrow(
      /aws configure export-credentials/,
    );
    expect(settings('s3://bucket').looked).toMatch(
      /AWS_ACCESS_KEY_ID.*profile default of .*\.aws\/credentials/,
    );
  });
});
