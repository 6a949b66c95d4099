import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import type { WorkFolder } from '../end-to-end/command-line.ts';

export interface Served {
  readonly url: string;
  /** Sends what Ctrl-C sends. @returns the exit code */
  stop(): Promise<number>;
}

/** Starts a command that prints the address it serves at. */
export function serve(work: WorkFolder, ...args: string[]): Promise<Served> {
  const child = spawn(process.execPath, [resolve('packages/cli/dist/main.js'), ...args], {
    cwd: work.folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number>((done) => child.once('exit', (code) => done(code ?? -1)));
  return new Promise((done, failed) => {
    let out = '';
    child.stdout.on('data', (part: Buffer) => {
      out += part.toString();
      const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(out)?.[0];
      if (url === undefined) return;
      done({
        url,
        stop: () => {
          child.kill('SIGINT');
          return ended;
        },
      });
    });
    void ended.then((code) => failed(new Error(`ended with ${code}: ${out}`)));
  });
}
