import type { z } from 'zod';

/** One line for each problem that zod found: `tasks[0].classes[1].labels: expected array, found string`. */
export function schemaProblems(error: z.ZodError): string[] {
  return error.issues.flatMap((issue) => issueLines(issue, []));
}

type Issue = z.ZodError['issues'][number];

function issueLines(issue: Issue, parents: readonly PropertyKey[]): string[] {
  const path = [...parents, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${pathText([...path, key])}: no such key`);
  }
  if (issue.code === 'invalid_key' || issue.code === 'invalid_element') {
    return issue.issues.flatMap((inner) => issueLines(inner, path));
  }
  return [`${pathText(path)}: ${issue.message.replace(/^Invalid input: /, '')}`];
}

function pathText(path: readonly PropertyKey[]): string {
  if (path.length === 0) return '(whole)';
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i > 0 ? '.' : ''}${String(part)}`))
    .join('');
}
