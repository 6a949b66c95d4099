import { describe, expect, it } from 'vitest';
import { read, repositoryFiles } from './source-tree.ts';

/** Dot files of the tools need no line. */
const TOOL_FILES = /^(\.(gitignore|npmrc|oxlintrc\.json|oxfmtrc\.json)|package-lock\.json)$/;

/**
 * The tree block of ARCHITECTURE.md, a folder a line: `packages/train/src/fit/  fit finite safetensors   # what it is for`.
 * Names stand without `.ts`; `folder/**` covers everything below it.
 */
function writtenTree(): { files: Set<string>; folders: string[] } {
  const block = /<!-- tree -->\s*```\n([\s\S]*?)```/.exec(read('ARCHITECTURE.md'))?.[1];
  if (block === undefined) throw new Error('ARCHITECTURE.md has no tree block');
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

describe('the tree in ARCHITECTURE.md', () => {
  it('equals the tracked tree', () => {
    const { files, folders } = writtenTree();
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
