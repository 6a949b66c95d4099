import { execFile } from 'node:child_process';
import { accessSync, chmodSync, constants, existsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { UserError } from '@lsgmer/datasets';

export interface Ffmpeg {
  readonly path: string;
  readonly source: 'FFMPEG_PATH' | 'PATH' | 'npm';
  /** First line of `ffmpeg -version`, for the provenance of features. */
  readonly version: string;
}

export interface FfmpegSearch {
  /** undefined when none works. */
  readonly found: Ffmpeg | undefined;
  /** For each place that was looked at in vain: why. */
  readonly tried: readonly string[];
}

/** npm packages that ship a binary (npm installs the one for this machine), none of which downloads anything. */
const NPM_SCOPE = '@ffmpeg-installer';

/**
 * Looks for ffmpeg: the file that FFMPEG_PATH names, then the PATH, then the npm package of this platform.
 * Each candidate is run once. Never throws; a FFMPEG_PATH that does not work is not passed over.
 */
export async function searchFfmpeg(env: NodeJS.ProcessEnv = process.env): Promise<FfmpegSearch> {
  const tried: string[] = [];
  const named = env['FFMPEG_PATH'];
  if (named !== undefined && named !== '') {
    const version = await versionOf(named);
    if (version.works) return { found: { path: named, source: 'FFMPEG_PATH', version: version.line }, tried };
    return { found: undefined, tried: [`FFMPEG_PATH=${named}: ${version.line}`] };
  }
  for (const [path, source] of [
    [onPath(env), 'PATH'],
    [fromNpm(), 'npm'],
  ] as const) {
    const place = source === 'PATH' ? 'PATH' : `${NPM_SCOPE}/${process.platform}-${process.arch}`;
    if (path === undefined) {
      tried.push(`${place}: no ffmpeg`);
      continue;
    }
    const version = await versionOf(path);
    if (version.works) return { found: { path, source, version: version.line }, tried };
    tried.push(`${path}: ${version.line}`);
  }
  return { found: undefined, tried };
}

/** @throws UserError that says where was looked and how to get one */
export async function requireFfmpeg(why: string, env: NodeJS.ProcessEnv = process.env): Promise<Ffmpeg> {
  const { found, tried } = await searchFfmpeg(env);
  if (found !== undefined) return found;
  throw new UserError(
    `${why}, and no ffmpeg works here (${tried.join('; ')}): install ffmpeg (apt install ffmpeg, brew install ffmpeg), ` +
      'set FFMPEG_PATH to its file, or run npm install without --omit=optional',
  );
}

function onPath(env: NodeJS.ProcessEnv): string | undefined {
  const file = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg';
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, file);
    try {
      if (folder === '') continue;
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not here: the next folder
    }
  }
  return undefined;
}

function fromNpm(): string | undefined {
  const name = `${NPM_SCOPE}/${process.platform}-${process.arch}`;
  let path: string;
  try {
    const root = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
    path = join(root, process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg');
  } catch {
    return undefined;
  }
  if (!existsSync(path)) return undefined;
  makeExecutable(path);
  return path;
}

/** The package's install script does this, but npm may be told to run none. */
function makeExecutable(path: string): void {
  const { mode } = statSync(path);
  if (process.platform === 'win32' || (mode & 0o111) !== 0) return;
  try {
    chmodSync(path, mode | 0o111);
  } catch {
    // Not ours to change: the attempt to run it says so.
  }
}

function versionOf(path: string): Promise<{ works: boolean; line: string }> {
  return new Promise((resolve) => {
    execFile(path, ['-hide_banner', '-version'], { timeout: 30_000 }, (error, stdout) => {
      const line = stdout.split('\n', 1)[0]?.trim() ?? '';
      if (error === null && line.startsWith('ffmpeg')) return resolve({ works: true, line });
      return resolve({ works: false, line: error === null ? `is no ffmpeg (${line})` : reasonOf(error) });
    });
  });
}

function reasonOf(error: Error & { code?: unknown }): string {
  if (error.code === 'ENOENT') return 'no such file';
  if (error.code === 'EACCES') return 'not executable';
  return error.message.split('\n', 1)[0] ?? error.message;
}
