import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { parserOf } from '../../packages/cli/src/command-line.ts';
import { UsageError } from '../../packages/cli/src/usage.ts';
import { anchorsOf, commandsIn, linksIn, optionsIn, pages, pathsIn, shellWords, userPages } from './pages.ts';
import { read, repositoryFiles } from './source-tree.ts';

describe('links between pages', () => {
  it('lead to files and headings that are there', () => {
    const files = repositoryFiles();
    const links = pages().flatMap(linksIn);
    expect(links.length).toBeGreaterThan(30);
    const dead = links.filter(
      ({ file, anchor }) =>
        !files.some((one) => one === file || one.startsWith(`${file}/`)) ||
        (anchor !== undefined && !anchorsOf(file).includes(anchor)),
    );
    expect(dead).toEqual([]);
  });
});

describe('paths in running text', () => {
  it('are there', () => {
    const files = repositoryFiles();
    const paths = pages()
      .filter((page) => page !== 'docs/LOG.md')
      .flatMap(pathsIn);
    expect(paths.length).toBeGreaterThan(30);
    const gone = paths.filter(({ path }) => !files.some((one) => one === path || one.startsWith(`${path}/`)));
    expect(gone).toEqual([]);
  });
});

class Understood extends Error {}

/** Reads a command line to the point where the command would run; what is wrong with it, if anything. */
async function problemOf(words: readonly string[]): Promise<string | undefined> {
  const parser = (await parserOf(words)).middleware(() => {
    throw new Understood();
  });
  try {
    await parser.parseAsync();
    return 'nothing would run';
  } catch (error) {
    if (error instanceof Understood) return undefined;
    if (error instanceof UsageError) return error.message;
    throw error;
  }
}

/** What `make` hands to lsgmer; undefined for targets that are no command of it. */
function made(words: readonly string[]): string[] | undefined {
  const lines = execFileSync('make', ['--dry-run', '--no-print-directory', ...words.slice(1)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).split('\n');
  const line = lines.find((one) => one.startsWith('node packages/cli/dist/main.js '));
  return line === undefined ? undefined : shellWords(line).slice(2);
}

describe('commands in the pages', () => {
  const commands = userPages().flatMap(commandsIn);

  it('are found', () => {
    expect(commands.length).toBeGreaterThan(100);
    expect(shellWords(`lsgmer a --b 'c d' e="f g" # h > i`)).toEqual(['lsgmer', 'a', '--b', 'c d', 'e=f g']);
    expect(shellWords('lsgmer a > b')).toEqual(['lsgmer', 'a']);
  });

  it('exist, with their options and choices', async () => {
    const variables = new Set(read('Makefile').match(/(?<=[(,])[A-Z][A-Z_]+/g));
    const wrong: string[] = [];
    const seen = new Set<string>();
    for (const { at, text, named } of commands) {
      if (seen.has(`${text} ${named}`)) continue;
      seen.add(`${text} ${named}`);
      const words = shellWords(text);
      let line: string[] | undefined = words.slice(words[0] === 'node' ? 2 : 1);
      if (words[0] === 'make') {
        const strange = words.filter(
          (word) => /^[A-Z_]+=/.test(word) && !variables.has(word.split('=')[0] as string),
        );
        if (strange.length > 0) wrong.push(`${at}: make knows no ${strange.join(', ')}`);
        try {
          line = made(words);
        } catch (error) {
          wrong.push(`${at}: ${text}: ${String((error as { stderr?: string }).stderr)}`);
          continue;
        }
      }
      if (line === undefined || line.includes('--help')) continue;
      const problem = await problemOf(line);
      const incomplete = named && /^(missing: |Name )/.test(problem ?? '');
      if (problem !== undefined && !incomplete) wrong.push(`${at}: ${text}: ${problem}`);
    }
    expect(wrong).toEqual([]);
  });

  it('notices what does not exist', async () => {
    expect(await problemOf(['train', '--fold', 'all', '--set', 'd=8'])).toBeUndefined();
    expect(await problemOf(['features', 'extract', '--part', '1/4'])).toBeUndefined();
    expect(await problemOf(['features', 'extract', '--parts', '1/4'])).toMatch(/--parts/);
    expect(await problemOf(['train', '--select', 'best'])).toMatch(/best/);
    expect(() => made(['make', 'no-such-target'])).toThrow(/no-such-target/);
    expect(made(['make', 'train', 'FOLD=1', 'ARGS=--where "not leaked"'])).toEqual([
      'train',
      '--fold',
      '1',
      '--where',
      'not leaked',
    ]);
  });

  it('and so do the options that the text names alone', () => {
    const sources = repositoryFiles().filter((f) => /^packages\/cli\/src\/.*\.ts$/.test(f));
    const known = new Set(['help', 'version']);
    for (const text of sources.map(read)) {
      for (const [, name = ''] of text.matchAll(/\.option\(\s*'([\w-]+)'/g)) known.add(name);
      for (const [, name = ''] of text.matchAll(/^\s+'?([\w-]+)'?: \{\s*(?:type|choices|array|alias)/gm))
        known.add(name);
    }
    const named = userPages().flatMap(optionsIn);
    expect(named.length).toBeGreaterThan(40);
    expect(named.filter(({ option }) => !known.has(option.replace(/^no-/, '')))).toEqual([]);
  });
});
