import { posix } from 'node:path';
import { read, repositoryFiles } from './source-tree.ts';

/** What is no page for a user: measurements, reasons and changes speak of what was, and of tools that are not ours. */
const HISTORY = new Set(['docs/LOG.md', 'docs/decisions.md', 'CHANGELOG.md']);

export const pages = (): string[] => repositoryFiles().filter((file) => file.endsWith('.md'));

export const userPages = (): string[] => pages().filter((page) => !HISTORY.has(page));

/** A command as it stands in a page. */
export interface Command {
  /** `docs/training.md:12`. */
  readonly at: string;
  readonly text: string;
  /** In running text, where words that it needs may be left out. */
  readonly named: boolean;
}

/** Lines of indented and fenced blocks, and spans between backticks, that begin with a command of this repository. */
export function commandsIn(page: string): Command[] {
  const found: Command[] = [];
  let fenced: string | undefined;
  for (const [i, line] of read(page).split('\n').entries()) {
    const at = `${page}:${i + 1}`;
    const fence = /^```(\w*)/.exec(line);
    if (fence !== null) fenced = fenced === undefined ? fence[1] : undefined;
    else if (fenced !== undefined || line.startsWith('    ')) {
      if ((fenced === undefined || /^(sh|bash|)$/.test(fenced)) && COMMAND.test(line.trim()))
        found.push({ at, text: line.trim(), named: false });
    } else
      for (const [, span = ''] of line.matchAll(/`([^`]+)`/g))
        if (COMMAND.test(span) && !span.includes('...')) found.push({ at, text: span, named: true });
  }
  return found;
}

const COMMAND = /^(lsgmer|node packages\/cli\/dist\/main\.js|make) [a-z]/;

/** Words of a command as a shell would have them: quotes, comments, up to a redirection. */
export function shellWords(text: string): string[] {
  const words: string[] = [];
  for (const [word] of text.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)) {
    if (word.startsWith('#') || word === '>' || word === '|') break;
    words.push(word.replaceAll(/"([^"]*)"|'([^']*)'/g, (_, double, single) => double ?? single));
  }
  return words;
}

/** Options that are named in running text: `--select`, `--pool mean`. */
export function optionsIn(page: string): { at: string; option: string }[] {
  return read(page)
    .split('\n')
    .flatMap((line, i) =>
      [...line.matchAll(/`--([a-z][\w-]*)[^`]*`/g)].map(([, option = '']) => ({
        at: `${page}:${i + 1}`,
        option,
      })),
    );
}

/** Files and folders of the repository that running text names: `train/src/head/contract.ts`, `recipes/published/`. */
export function pathsIn(page: string): { at: string; path: string }[] {
  return read(page)
    .split('\n')
    .flatMap((line, i) =>
      [
        ...line.matchAll(
          /`((?:packages\/)?[a-z]+\/(?:src|test)\/[\w/.-]+|(?:docs|python|recipes|test|bench)\/[\w/.-]+)`/g,
        ),
      ].map(([, named = '']) => {
        const path = named.replace(/\/$/, '');
        return {
          at: `${page}:${i + 1}`,
          path: /^[a-z]+\/(src|test)\//.test(path) ? `packages/${path}` : path,
        };
      }),
    );
}

/** Links of a page to files of the repository. */
export function linksIn(page: string): { at: string; file: string; anchor: string | undefined }[] {
  return read(page)
    .split('\n')
    .flatMap((line, i) =>
      [...line.matchAll(/\]\(([^)\s]+)\)/g)]
        .map((found) => found[1] as string)
        .filter((target) => !/^[a-z]+:/.test(target))
        .map((target) => {
          const [path = '', anchor] = target.split('#');
          const file = path === '' ? page : posix.join(posix.dirname(page), path);
          return { at: `${page}:${i + 1}`, file, anchor };
        }),
    );
}

/** Anchors that the headings of a page get. */
export function anchorsOf(page: string): string[] {
  return read(page)
    .replaceAll(/^```[\s\S]*?^```/gm, '')
    .split('\n')
    .filter((line) => /^#{1,6} /.test(line))
    .map((line) =>
      line
        .replace(/^#+ /, '')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    );
}
