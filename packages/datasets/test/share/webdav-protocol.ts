import type { Exchange, Reply, ServedFiles } from './exchange.ts';

const AUTHORIZATION = `Basic ${Buffer.from('user:pass word').toString('base64')}`;
const above = (path: string): string => path.slice(0, path.lastIndexOf('/'));

export function answerWebDav({ request, url, path, body, server }: Exchange): Reply {
  if (request.headers.authorization !== AUTHORIZATION) return { status: 401 };
  const name = path.replace(/\/+$/, '');
  const { files, folders } = server;
  switch (request.method) {
    case 'PROPFIND':
      return request.headers.depth === '1' ? list(url, name, server) : { status: 403 };
    case 'MKCOL':
      if (folders.has(name)) return { status: 405 };
      if (!folders.has(above(name))) return { status: 409 };
      folders.add(name);
      return { status: 201 };
    case 'PUT':
      if (!folders.has(above(name))) return { status: 409 };
      files.set(name, body);
      return { status: 201 };
    case 'MOVE': {
      const file = files.get(name);
      const target = decodeURIComponent(new URL(request.headers.destination as string).pathname).replace(
        /^\/\w+/,
        '',
      );
      if (file === undefined) return { status: 404 };
      if (!folders.has(above(target))) return { status: 409 };
      files.delete(name);
      files.set(target, file);
      return { status: 201 };
    }
    case 'DELETE':
      return { status: files.delete(name) ? 204 : 404 };
    case 'GET':
    case 'HEAD': {
      const file = files.get(name);
      return file === undefined ? { status: 404 } : { status: 200, body: file };
    }
    default:
      return { status: 405 };
  }
}

function list(url: URL, name: string, { files, folders, changed }: ServedFiles): Reply {
  if (!folders.has(name)) return { status: 404 };
  const protocol = url.pathname.split('/')[1] as string;
  const href = (path: string, slash: string): string =>
    `/${protocol}${path.split('/').map(encodeURIComponent).join('/')}${slash}`;
  const isChild = (path: string): boolean => path !== '' && above(path) === name;
  const inside = [name, ...[...folders].filter(isChild)].map(
    (path) =>
      `<d:response><d:href>${href(path, '/')}</d:href><d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype></d:prop></d:propstat></d:response>`,
  );
  const own = [...files]
    .filter(([path]) => isChild(path))
    .map(
      ([path, content]) =>
        `<d:response><d:href>${href(path, '')}</d:href><d:propstat><d:prop><d:getcontentlength>${content.length}</d:getcontentlength><d:getlastmodified>${(changed?.get(path) ?? new Date()).toUTCString()}</d:getlastmodified><d:resourcetype/></d:prop></d:propstat></d:response>`,
    );
  return {
    status: 207,
    body: `<?xml version="1.0"?><d:multistatus xmlns:d="DAV:">${[...inside, ...own].join('')}</d:multistatus>`,
  };
}
