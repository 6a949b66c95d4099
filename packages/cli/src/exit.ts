import { Interrupted, UserError } from '@lsgmer/datasets';

/** Exit codes of lsgmer (design: 0 done, 1 our bug, 2 user or environment, 3 problems in the data, 75 resumable stop, 130 interrupted). */
export const EXIT = { done: 0, bug: 1, user: 2, data: 3, resumable: 75, interrupted: 130 } as const;

/** What the process says and returns for an error: one line for the user's, the stack for ours. */
export function describeError(
  error: unknown,
  signal: NodeJS.Signals | undefined,
): { code: number; text: string } {
  if (error instanceof Interrupted) {
    const code = signal === 'SIGTERM' || signal === 'SIGUSR1' ? EXIT.resumable : EXIT.interrupted;
    const goOn = error.message.includes('same command') ? '' : ': run the same command to go on';
    return { code, text: `${error.message}${goOn}` };
  }
  if (error instanceof UserError) return { code: EXIT.user, text: prefixed(error.message) };
  const system = systemError(error);
  if (system !== undefined) return { code: EXIT.user, text: prefixed(system) };
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: EXIT.bug, text: `lsgmer: this is a bug, please report it with this text\n${stack}` };
}

function prefixed(message: string): string {
  return message
    .split('\n')
    .map((line) => `lsgmer: ${line}`)
    .join('\n');
}

/** A full disk or missing rights are the environment's fault wherever they surface. */
function systemError(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  const where = path === undefined ? '' : ` ${path}`;
  switch (code) {
    case 'ENOSPC':
      return `no space left on the device${where}: free some, then run the same command to go on`;
    case 'EDQUOT':
      return `disk quota exceeded${where}: free some, then run the same command to go on`;
    case 'EFBIG':
      return `a file would be larger than the limit${where}: raise it (ulimit -f unlimited), then run the same command to go on`;
    case 'EACCES':
    case 'EPERM':
      return `no permission for${where}: check who owns it, or choose another folder with --store or --runs`;
    case 'ENOTDIR':
      return `a part of the path${where} is a file: expected folders, choose another name`;
    case 'ENAMETOOLONG':
      return `the name${where} is too long for this file system: choose a shorter one`;
    case 'EEXIST':
    case 'ENOENT':
      // elsewhere a file that is, or is not, there is for the code to know
      return syscall === 'mkdir'
        ? `the folder${where} cannot be made (${code}): choose another name`
        : undefined;
    case 'EROFS':
      return `read-only file system${where}: choose another folder with --store or --runs`;
    case 'EMFILE':
      return 'too many open files: raise the limit (ulimit -n 4096) and run the same command again';
    default:
      return undefined;
  }
}
