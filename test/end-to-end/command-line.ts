import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'vitest';

export const MAIN = resolve('packages/cli/dist/main.js');

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What a command printed that ended as expected. */
export function done({ code, out, err }: Ended, expected = 0): string {
  expect(code, err).toBe(expected);
  return out;
}

/** A working folder of its own, in which the built lsgmer runs as a user runs it. */
export class WorkFolder {
  readonly folder = mkdtempSync(join(tmpdir(), 'lsgmer-e2e-'));

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  /** Runs a command to its end. */
  run(...args: string[]): Promise<Ended> {
    return new Promise((done) => {
      execFile(
        process.execPath,
        [MAIN, ...args],
        { cwd: this.folder, maxBuffer: 1 << 28, env: cleanEnvironment() },
        (error, out, err) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
          done({ code, out, err });
        },
      );
    });
  }

  /** Runs commands, each of which must end with its code and say its line, on whichever stream. */
  async expectAll(
    commands: readonly (readonly [command: string, code: number, line: RegExp])[],
  ): Promise<void> {
    for (const [command, code, line] of commands) {
      const ended = await this.run(...command.split(' '));
      expect([command, ended.code, `${ended.out}${ended.err}`]).toEqual([
        command,
        code,
        expect.stringMatching(line),
      ]);
    }
  }

  /** Runs a command and sends a signal once its output has matched. */
  stop(signal: NodeJS.Signals, when: RegExp, ...args: string[]): Promise<Ended> {
    return new Promise((done) => {
      const child = spawn(process.execPath, [MAIN, ...args], { cwd: this.folder, env: cleanEnvironment() });
      let out = '';
      let err = '';
      let sent = false;
      child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => {
        err += chunk.toString();
        if (sent || !when.test(err)) return;
        sent = true;
        child.kill(signal);
      });
      child.on('close', (code) => done({ code: code ?? -1, out, err }));
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function cleanEnvironment(): NodeJS.ProcessEnv {
  const { LSGMER_STORE: _store, LSGMER_RUNS: _runs, ...rest } = process.env;
  return rest;
}
