import { describe, expect, it } from 'vitest';
import { read, repositoryFiles } from './source-tree.ts';

describe('the README', () => {
  it('is the entrance: what goes further stands in a page of docs/', () => {
    const lines = read('README.md').split('\n').length;
    expect(lines, 'move the detail to its page in docs/').toBeLessThanOrEqual(180);
    expect(read('README.md')).not.toContain('<!-- tree -->');
  });

  it('names every page', () => {
    const pages = repositoryFiles().filter(
      (file) => /^(docs\/)?[^/]+\.md$/.test(file) && file !== 'README.md',
    );
    const readme = read('README.md');
    expect(pages.length).toBeGreaterThan(12);
    expect(pages.filter((page) => !readme.includes(`](${page})`))).toEqual([]);
  });
});

describe('the Makefile', () => {
  it('lists all targets under help', () => {
    const makefile = read('Makefile');
    const targets = [...makefile.matchAll(/^\.PHONY: (\S+)$/gm)].map((m) => m[1] as string);
    const helped = [...makefile.matchAll(/^## ([a-z-]+):/gm)].map((m) => m[1] as string);
    expect(targets.length).toBeGreaterThan(10);
    expect(helped.sort()).toEqual(targets.sort());
  });

  it('runs in CI what the README calls the tests', () => {
    expect(read('README.md')).toMatch(/^ {4}make test +# all tests$/m);
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
