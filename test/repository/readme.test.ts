import { describe, expect, it } from 'vitest';
import { read, repositoryFiles } from './source-tree.ts';

/** Files that the tree of the README leaves to their folder's line. */
const GROUPED = [
  /^packages\/[a-z]+\/test\//, /^test\/golden\//, 
  /^package-lock\.json$/, /^\.(gitignore|npmrc|oxlintrc\.json|oxfmtrc\.json)$/];

/** The tree block of README.md: two blanks of indent a level, names before two or more blanks. */
function readmeTree(): string[] {
  const block = /<!-- tree -->\s*```\n([\s\S]*?)```/.exec(read('README.md'))?.[1];
  if (block === undefined) throw new Error('README.md has no tree block');
  const trail: string[] = [];
  const files: string[] = [];
  for (const line of block.split('\n').filter((l) => l.trim() !== '')) {
    const depth = (line.length - line.trimStart().length) / 2;
    const name = line.trim().split(/\s{2,}/)[0] as string;
    trail.length = depth;
    if (name.endsWith('/')) trail.push(...[name]);
    else files.push(trail.join('') + name);
  }
  return files.sort();
}

describe('the tree in the README', () => {
  it('equals the tracked tree', () => {
    const tracked = repositoryFiles().filter((f) => !GROUPED.some((g) => g.test(f)));
    const listed = readmeTree();
    expect({ missing: tracked.filter((f) => !listed.includes(f)), stale: listed.filter((f) => !tracked.includes(f)) }).toEqual({
      missing: [],
      stale: [],
    });
  });
});

describe('the Makefile', () => {
  it('has the targets that the README names, and help lists them all', () => {
    const makefile = read('Makefile');
    const targets = [...makefile.matchAll(/^\.PHONY: (\S+)$/gm)].map((m) => m[1] as string);
    const helped = [...makefile.matchAll(/^## ([a-z-]+):/gm)].map((m) => m[1] as string);
    expect(helped.sort()).toEqual(targets.sort());
    const named = [...read('README.md').matchAll(/\bmake ([a-z-]+)/g)].map((m) => m[1] as string);
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
      .filter((f) => /\.(ts|mjs|js|py|md|json|sh|yml)$|Makefile|run$/.test(f) && f !== 'package-lock.json' && !f.startsWith('test/repository/'))
      .flatMap((f) =>
        read(f)
          .split('\n')
          .flatMap((line, i) => (/(^|[\s"'`(=])\/(work|root|tmp\/pyv|home\/\w+)\//.test(line) ? [`${f}:${i + 1}: ${line.trim().slice(0, 120)}`] : [])),
      );
    expect(wrong).toEqual([]);
    const hosts = [...read('package-lock.json').matchAll(/"resolved": "(https?:\/\/[^/"]+)/g)].map((m) => m[1]);
    expect(hosts.filter((h) => h !== 'https://registry.npmjs.org')).toEqual([]);
  });
});
