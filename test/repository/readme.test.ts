import { describe, expect, it } from 'vitest';
import { read, repositoryFiles } from './source-tree.ts';

/** Dot files of the tools need no line. */
const TOOL_FILES = /^(\.(gitignore|npmrc|oxlintrc\.json|oxfmtrc\.json)|package-lock\.json)$/;

/**
 * The tree block of README.md, a folder a line: `packages/train/src/fit/  fit finite safetensors   # what it is for`.
 * Names stand without `.ts`; `folder/**` covers everything below it.
 */
function readmeTree(): { files: Set<string>; folders: string[] } {
  const block = /<!-- tree -->\s*```\n([\s\S]*?)```/.exec(read('README.md'))?.[1];
  if (block === undefined) throw new Error('README.md has no tree block');
  const files = new Set<string>();
  const folders: string[] = [];
  let folder = '';
  for (const line of block.split('\n')) {
    const words = line
      .replace(/\s#.*$/, '')
      .trim()
      .split(/\s+/)
      .filter(Boolean);
    for (const word of words) {
      if (word.endsWith('/**')) folders.push(word.slice(0, -2));
      else if (word.endsWith('/')) folder = word === './' ? '' : word;
      else files.add(folder + word);
    }
  }
  return { files, folders };
}

describe('the tree in the README', () => {
  it('equals the tracked tree', () => {
    const { files, folders } = readmeTree();
    const tracked = repositoryFiles().filter((f) => !TOOL_FILES.test(f));
    const named = tracked.map((f) => f.replace(/\.ts$/, ''));
    const missing = named.filter((f) => !files.has(f) && !folders.some((folder) => f.startsWith(folder)));
    const stale = [
      ...[...files].filter((f) => !named.includes(f)),
      ...folders.filter((folder) => !named.some((f) => f.startsWith(folder))),
    ];
    expect({ missing, stale }).toEqual({ missing: [], stale: [] });
  });
});

describe('the Makefile', () => {
  it('has the targets that the README names, and help lists them all', () => {
    const makefile = read('Makefile');
    const targets = [...makefile.matchAll(/^\.PHONY: (\S+)$/gm)].map((m) => m[1] as string);
    const helped = [...makefile.matchAll(/^## ([a-z-]+):/gm)].map((m) => m[1] as string);
    expect(helped.sort()).toEqual(targets.sort());
    const named = [...read('README.md').matchAll(/^ {4}make ([a-z-]+)/gm)].map((m) => m[1] as string);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((n) => !targets.includes(n))).toEqual([]);
  });

  it('runs in CI what the README calls the tests', () => {
    expect(read('README.md')).toContain('make test');
    expect(read('.ci/run')).toMatch(/^make test$/m);
  });
});

describe('what the repository says', () => {
  it('holds no machine path and no registry host', () => {
    const wrong = repositoryFiles()
      .filter(
        (f) =>
          /\.(ts|mjs|js|py|md|json|sh|yml)$|Makefile|run$/.test(f) &&
          f !== 'package-lock.json' &&
          !f.startsWith('test/repository/'),
      )
      .flatMap((f) =>
        read(f)
          .split('\n')
          .flatMap((line, i) =>
            /(^|[\s"'`(=])\/(work|root|tmp\/pyv|home\/\w+)\//.test(line)
              ? [`${f}:${i + 1}: ${line.trim().slice(0, 120)}`]
              : [],
          ),
      );
    expect(wrong).toEqual([]);
    const hosts = [...read('package-lock.json').matchAll(/"resolved": "(https?:\/\/[^/"]+)/g)].map(
      (m) => m[1],
    );
    expect(hosts.filter((h) => h !== 'https://registry.npmjs.org')).toEqual([]);
  });
});
