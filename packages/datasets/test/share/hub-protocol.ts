import { type Exchange, type Reply, sha256 } from './exchange.ts';

const json = (value: unknown, status = 200): Reply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});
const notFound: Reply = {
  ...json({ error: 'Repository not found' }, 404),
  headers: { 'x-error-code': 'RepoNotFound' },
};
const noEntry: Reply = {
  ...json({ error: 'Entry not found' }, 404),
  headers: { 'x-error-code': 'EntryNotFound' },
};

const REPO = 'team/features';

/** Files below this size stand in the repository itself, larger ones in large-file storage (as .arrow ones do). */
export function answerHub(exchange: Exchange): Reply {
  const { request, path, body, server } = exchange;
  // large files: storage of its own, which must never see the token
  const stored = /^\/lfs\/([0-9a-f]{64})$/.exec(path)?.[1];
  if (stored !== undefined) {
    if (request.headers.authorization !== undefined) return { status: 400 };
    if (request.method === 'PUT') {
      if (sha256(body) !== stored) return { status: 400 };
      server.files.set(`/lfs/${stored}`, body);
      return { status: 200 };
    }
    const file = server.files.get(`/lfs/${stored}`);
    return file === undefined ? { status: 404 } : { status: 200, body: file };
  }
  if (request.headers.authorization !== 'Bearer hf_secrettoken')
    return json({ error: 'Invalid credentials' }, 401);
  if (!path.includes(REPO)) return notFound;
  if (path === `/datasets/${REPO}.git/info/lfs/objects/batch`) return batch(exchange);
  const [, action = '', rest = ''] =
    new RegExp(`^/(?:api/)?datasets/${REPO}/(\\w+)/main/?(.*)$`).exec(path) ??
    new RegExp(`^/(?:api/)?datasets/${REPO}/(revision)/(.*)$`).exec(path) ??
    [];
  if (action === 'revision')
    return json({ _id: '1', id: REPO, private: !server.folders.has('public'), gated: false });
  if (action === 'tree') return tree(exchange, rest);
  if (action === 'resolve') return resolve(exchange, rest);
  if (action === 'preupload') {
    const { files } = JSON.parse(body.toString()) as { files: { path: string }[] };
    return json({
      files: files.map((file) => ({
        path: file.path,
        uploadMode: file.path.endsWith('.arrow') ? 'lfs' : 'regular',
      })),
    });
  }
  return action === 'commit' ? commit(exchange) : notFound;
}

function batch({ body, server, request }: Exchange): Reply {
  const { objects } = JSON.parse(body.toString()) as { objects: { oid: string; size: number }[] };
  const href = (oid: string): string =>
    `http://${(request.headers.host ?? '').replace('127.0.0.1', 'localhost')}/hf/lfs/${oid}`;
  return json({
    transfer: 'basic',
    objects: objects.map(({ oid, size }) =>
      server.files.has(`/lfs/${oid}`)
        ? { oid, size }
        : { oid, size, actions: { upload: { href: href(oid) } } },
    ),
  });
}

function tree({ server }: Exchange, folder: string): Reply {
  const start = `/${REPO}/${folder === '' ? '' : `${folder}/`}`;
  const entries = [...server.files].filter(([path]) => path.startsWith(start));
  if (entries.length === 0 && folder !== '') return noEntry;
  return json(
    entries.map(([path, content]) => ({
      type: 'file',
      path: path.slice(REPO.length + 2),
      size: content.toString('latin1').startsWith('lfs:')
        ? Number(content.toString().split(':')[2])
        : content.length,
    })),
  );
}

function resolve({ server, request }: Exchange, path: string): Reply {
  const file = server.files.get(`/${REPO}/${path}`);
  if (file === undefined) return noEntry;
  const [, oid] = /^lfs:([0-9a-f]{64}):/.exec(file.toString('latin1')) ?? [];
  if (oid === undefined) return { status: 200, body: file };
  // another host, as the hub's storage is
  const host = (request.headers.host ?? '').replace('127.0.0.1', 'localhost');
  return { status: 302, headers: { location: `http://${host}/hf/lfs/${oid}` } };
}

function commit({ body, server }: Exchange): Reply {
  const lines = body
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { key: string; value: never });
  const staged = new Map<string, Buffer>();
  for (const { key, value } of lines) {
    const { path, content, oid, size } = value as {
      path: string;
      content: string;
      oid: string;
      size: number;
    };
    if (key === 'file') staged.set(`/${REPO}/${path}`, Buffer.from(content, 'base64'));
    if (key !== 'lfsFile') continue;
    if (!server.files.has(`/lfs/${oid}`)) return json({ error: `${oid} was never uploaded` }, 400);
    staged.set(`/${REPO}/${path}`, Buffer.from(`lfs:${oid}:${size}`));
  }
  for (const [path, content] of staged) server.files.set(path, content);
  return json({ success: true, commitOid: 'c'.repeat(40), commitUrl: 'url', hookOutput: '' });
}
