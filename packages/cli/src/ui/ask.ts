import { createInterface } from 'node:readline/promises';
import { UserError } from '@lsgmer/datasets';

/** A question that `y` or `yes` answers. @throws UserError where nobody can be asked */
export async function agreed(question: string, canAsk = process.stdin.isTTY): Promise<boolean> {
  if (!canAsk) throw new UserError('nobody is there to be asked: look at --dry-run, then pass --yes');
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await dialogue.question(`${question} [y/N] `)).trim());
  } finally {
    dialogue.close();
  }
}
