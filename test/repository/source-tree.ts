import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Files that git tracks or would track: what a commit of this tree would hold. */
export function repositoryFiles(): string[] {
  const out = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    encoding: 'utf8',
  });
  return [...new Set(out.split('\n').filter(Boolean))].sort();
}

export const read = (path: string): string => readFileSync(path, 'utf8');

export interface Import {
  readonly from: string;
  readonly to: string;
}

/** Static and dynamic imports of a TypeScript file. */
export function importsOf(path: string): string[] {
  const text = read(path);
  const found: string[] = [];
  for (const match of text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) found.push(match[1] as string);
  return found;
}

/** packages/<name>/src/... -> <name> */
export function packageOf(path: string): string | undefined {
  return /^packages\/([a-z]+)\//.exec(path)?.[1];
}
