import { type Exchange, md5, type Reply, sha256, type Upload } from './exchange.ts';

/** What S3 says about requests that are not signed by the one key that this server knows. */
const refused = (code: string, status = 403): Reply => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>words of the server</Message><AWSAccessKeyId>AKIDEXAMPLE</AWSAccessKeyId></Error>`,
});

/** Keys of one page of a list: small, so that lists have pages. */
const PAGE = 3;

export function answerS3(exchange: Exchange): Reply {
  const { request, url, path, body, server } = exchange;
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
  if (method !== 'GET' && headers['x-amz-content-sha256'] !== sha256(body))
    return refused('XAmzContentSHA256Mismatch', 400);
  const { searchParams } = url;
  if (searchParams.has('uploads') || searchParams.has('uploadId')) return inParts(name, exchange);
  if (method === 'PUT') {
    server.files.set(name, body);
    return { status: 200 };
  }
  const file = server.files.get(name);
  if (file === undefined) return refused('NoSuchKey', 404);
  return { status: 200, body: file };
}

/** Amazon's uploads in parts. */
function inParts(name: string, { request, url, body, server }: Exchange): Reply {
  const { method } = request;
  const uploads = server.uploads ?? new Map<string, Upload>();
  const number = Number(url.searchParams.get('partNumber'));
  const xml = (text: string): Reply => ({ status: 200, body: `<?xml version="1.0"?>${text}` });
  if (url.searchParams.has('uploads') && method === 'POST') {
    const id = `upload/${uploads.size + 1}+`;
    uploads.set(id, { name, begun: new Date(), parts: new Map() });
    return xml(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
  }
  if (url.searchParams.has('uploads')) {
    const prefix = `/bucket/${url.searchParams.get('prefix') ?? ''}`;
    const found = [...uploads].filter(([, upload]) => upload.name.startsWith(prefix));
    const entries = found.map(
      ([id, upload]) =>
        `<Upload><Key>${upload.name.slice('/bucket/'.length)}</Key><UploadId>${id}</UploadId><Initiated>${upload.begun.toISOString()}</Initiated></Upload>`,
    );
    return xml(`<ListMultipartUploadsResult>${entries.join('')}</ListMultipartUploadsResult>`);
  }
  const id = url.searchParams.get('uploadId') ?? '';
  const upload = uploads.get(id);
  if (upload?.name !== name) return refused('NoSuchUpload', 404);
  if (method === 'DELETE') {
    uploads.delete(id);
    return { status: 204 };
  }
  if (method === 'PUT') {
    upload.parts.set(number, body);
    return { status: 200, headers: { etag: `"${md5(body)}"` } };
  }
  if (method === 'GET') {
    const entries = [...upload.parts].map(
      ([number, part]) =>
        `<Part><PartNumber>${number}</PartNumber><ETag>&quot;${md5(part)}&quot;</ETag><Size>${part.length}</Size></Part>`,
    );
    return xml(`<ListPartsResult>${entries.join('')}</ListPartsResult>`);
  }
  const named = [
    ...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>"([0-9a-f]{32})"<\/ETag>/g),
  ];
  const parts = named.map(([, number, etag]) => [upload.parts.get(Number(number)), etag] as const);
  if (parts.some(([part, etag]) => part === undefined || md5(part) !== etag))
    return xml('<Error><Code>InvalidPart</Code></Error>');
  server.files.set(name, Buffer.concat(parts.map(([part]) => part as Buffer)));
  uploads.delete(id);
  return xml('<CompleteMultipartUploadResult></CompleteMultipartUploadResult>');
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
