import { type Exchange, type Reply, sha256 } from './exchange.ts';

/** What S3 says about requests that are not signed by the one key that this server knows. */
const refused = (code: string, status = 403): Reply => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>words of the server</Message><AWSAccessKeyId>AKIDEXAMPLE</AWSAccessKeyId></Error>`,
});

/** Keys of one page of a list: small, so that lists have pages. */
const PAGE = 3;

export function answerS3({ request, url, path, body, server }: Exchange): Reply {
  const { method, headers } = request;
  const signed =
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/([\w-]+)\/s3\/aws4_request, SignedHeaders=([\w;-]+), Signature=[0-9a-f]{64}$/;
  const [, region = '', names = ''] = signed.exec(headers.authorization ?? '') ?? [];
  if (region === '' || !names.split(';').includes('x-amz-content-sha256')) return refused('AccessDenied');
  if (region !== 'us-east-1') return refused('AuthorizationHeaderMalformed', 400);
  const [bucket = '', ...key] = path.slice(1).split('/');
  if (bucket !== 'bucket') return refused('NoSuchBucket', 404);
  if (method === 'GET' && url.searchParams.get('list-type') === '2') return list(url, server.files);
  const name = `/${bucket}/${key.join('/')}`;
  if (method === 'PUT') {
    if (headers['x-amz-content-sha256'] !== sha256(body)) return refused('XAmzContentSHA256Mismatch', 400);
    server.files.set(name, body);
    return { status: 200 };
  }
  const file = server.files.get(name);
  if (file === undefined) return refused('NoSuchKey', 404);
  return { status: 200, body: file };
}

function list(url: URL, files: ReadonlyMap<string, Buffer>): Reply {
  const prefix = `/bucket/${url.searchParams.get('prefix') ?? ''}`;
  const after = url.searchParams.get('continuation-token') ?? '';
  const all = [...files.keys()].filter((name) => name.startsWith(prefix) && name > after).sort();
  const page = all.slice(0, PAGE);
  const more = all.length > PAGE;
  const contents = page.map(
    (name) =>
      `<Contents><Key>${name.slice('/bucket/'.length)}</Key><Size>${files.get(name)?.length}</Size></Contents>`,
  );
  const token = more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
  return {
    status: 200,
    body: `<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>${more}</IsTruncated>${token}${contents.join('')}</ListBucketResult>`,
  };
}
