import { homedir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { parseRemote } from '../../src/share/address.ts';

describe('parseRemote', () => {
  it('reads folders, absolute, relative and as file URLs', () => {
    expect(parseRemote('/group/features', '/here')).toEqual({
      kind: 'folder',
      folder: '/group/features',
      title: '/group/features',
    });
    expect(parseRemote('share', '/here')).toMatchObject({ folder: '/here/share' });
    expect(parseRemote('~/share', '/here')).toMatchObject({ folder: `${homedir()}/share` });
    expect(parseRemote('file:///a%20b/c', '/here')).toMatchObject({ kind: 'folder', folder: '/a b/c' });
  });

  it('reads buckets, with what their query says', () => {
    expect(parseRemote('s3://bucket/a/b/', '/')).toMatchObject({
      kind: 's3',
      bucket: 'bucket',
      prefix: 'a/b',
      endpoint: null,
      title: 's3://bucket/a/b',
    });
    const told = 's3://my.bucket?endpoint=http://localhost:9000&region=eu-west-1&style=path&profile=lab';
    expect(parseRemote(told, '/')).toEqual({
      kind: 's3',
      bucket: 'my.bucket',
      prefix: '',
      endpoint: 'http://localhost:9000',
      region: 'eu-west-1',
      profile: 'lab',
      style: 'path',
      title: 's3://my.bucket',
    });
  });

  it('reads hosts, and keeps user and password out of the title', () => {
    const dav = parseRemote('webdavs://user:p%40ss@host.org:8443/a b/c', '/');
    expect(dav).toMatchObject({
      kind: 'webdav',
      user: 'user',
      password: 'p@ss',
      title: 'webdavs://host.org:8443/a b/c',
    });
    expect(dav.kind === 'webdav' && dav.url.href).toBe('https://host.org:8443/a%20b/c/');
    expect(parseRemote('dav://host', '/')).toMatchObject({ kind: 'webdav', title: 'dav://host' });
    const web = parseRemote('https://host.org/x', '/');
    expect([web.kind, web.kind === 'web' && web.url.href]).toEqual(['web', 'https://host.org/x/']);
  });

  it('reads dataset repositories of the hub', () => {
    expect(parseRemote('hf://datasets/team/ser-features@v2.1/sub/folder', '/')).toEqual({
      kind: 'hub',
      repo: 'team/ser-features',
      revision: 'v2.1',
      prefix: 'sub/folder',
      title: 'hf://datasets/team/ser-features@v2.1/sub/folder',
    });
    expect(parseRemote('hf://datasets/a/b', '/')).toMatchObject({ revision: 'main', prefix: '' });
  });

  it.each([
    ['', /it is empty/],
    ['gs://bucket/x', /"gs:" is not known/],
    ['s3:/bucket', /after "s3:" comes "\/\/"/],
    ['s3:///x', /followed by a bucket/],
    ['s3://b/x', /"b" is no bucket's name: 3 to 63 characters, lower case, digits, dots and hyphens/],
    ['s3://Bucket/x', /"Bucket" is no bucket's name/],
    ['s3://minio:9000/bucket', /"minio:9000" is no bucket's name.*a server goes into \?endpoint=/],
    ['s3://key:secret@bucket/x', /keys belong into AWS_ACCESS_KEY_ID/],
    ['s3://bucket/x?regoin=a', /\?regoin= is not one of/],
    ['s3://bucket/x?style=dns', /style= is path or virtual/],
    ['s3://bucket/a/%2e%2e/b', /followed|"\." and "\.\."|expected/],
    ['https://user:secret@host/x?token=secret', /no "\?" or "#"/],
    ['hf://team/name', /hf:\/\/datasets\/owner\/name/],
    ['file://host/x', /a path of this machine/],
  ])('refuses %s in one line that lists the forms and repeats no secret', (text, message) => {
    let said = '';
    try {
      parseRemote(text, '/');
    } catch (error) {
      said = (error as Error).message;
    }
    // "%2e%2e" is taken out by the URL itself
    if (text.includes('%2e')) expect(said).toBe('');
    else {
      expect(said).toMatch(message);
      expect(said).toMatch(/expected a folder, s3:\/\/bucket\/prefix, webdav\(s\)/);
    }
    expect(said).not.toMatch(/secret/);
    expect(said.split('\n')).toHaveLength(1);
  });
});
