import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError, UserErrors } from '@lsgmer/datasets';
import { type Head, headByName, KNOWN_HEADS, optionProblems } from '@lsgmer/train';

/** What a head's file may import from here, wherever it lies: it gets the very modules that this process runs. */
const PROVIDED = ['@lsgmer/train', '@lsgmer/onnx', '@lsgmer/datasets', '@tensorflow/tfjs-core'];

/** Whether a head is given as a file. */
export const isHeadFile = (name: string): boolean => /[/\\]|\.[cm]?[jt]s$/.test(name);

/**
 * A head by name, or by the path of a file that exports one as its default.
 * @throws UserError that lists the names, or says what is wrong with the file
 */
export async function findHead(name: string, folder: string = process.cwd()): Promise<Head> {
  return isHeadFile(name) ? loadHeadFile(resolve(folder, name)) : headByName(name);
}

/**
 * Loads a head from a .ts, .js or .mjs file. esbuild strips its types and bundles what it imports by relative path;
 * their digest becomes the head's `source`, which is part of every run's identity.
 */
export async function loadHeadFile(path: string): Promise<Head> {
  if (!existsSync(path)) throw new UserError(`no file ${path}: --head takes a name or the path of a file`);
  const { build } = await import('esbuild');
  const folder = mkdtempSync(join(tmpdir(), 'lsgmer-head-'));
  const bundle = join(folder, 'head.mjs');
  try {
    const result = await build({
      entryPoints: [path],
      outfile: bundle,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      write: false,
      metafile: true,
      absWorkingDir: dirname(path),
      logLevel: 'silent',
      plugins: [
        {
          name: 'provided',
          setup: (build) => {
            build.onResolve({ filter: /^@lsgmer\/|^@tensorflow\/tfjs-core$/ }, ({ path: wanted }) =>
              PROVIDED.includes(wanted)
                ? { path: import.meta.resolve(wanted), external: true }
                : { errors: [{ text: `${wanted} is not provided: there are ${PROVIDED.join(', ')}` }] },
            );
          },
        },
      ],
    });
    writeFileSync(bundle, (result.outputFiles[0] as { contents: Uint8Array }).contents);
    const sources = Object.keys(result.metafile.inputs).map((file) => resolve(dirname(path), file));
    const module = (await import(pathToFileURL(bundle).href)) as { default?: unknown };
    return ownHead(headOf(module.default, path), path, sourceDigest(dirname(path), sources));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path}: ${reason(error, path)}`, { cause: error });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @throws UserError where the default export is no head */
function headOf(value: unknown, path: string): Head {
  const head = value as { [key in keyof Head]?: unknown } | undefined;
  const lacking = (['parameters', 'inputs', 'forward', 'loss'] as const).filter(
    (name) => typeof head?.[name] !== 'function',
  );
  if (typeof head?.name !== 'string' || !/^[A-Za-z0-9._-]+$/.test(head.name))
    throw new UserError(`${path}: export default a head with a name of letters, digits, '.', '_' or '-'`);
  if (lacking.length > 0) throw new UserError(`${path}: head ${head.name} has no ${lacking.join(', ')}`);
  if (!Array.isArray(head.options))
    throw new UserError(`${path}: head ${head.name} has no list of options ([] where there are none)`);
  const problems = optionProblems(head as Pick<Head, 'options'>);
  if (problems.length > 0)
    throw new UserErrors(problems.map((problem) => `${path}: head ${head.name as string}: ${problem}`));
  if (KNOWN_HEADS.some((known) => known.name === head.name))
    throw new UserError(`${path}: the name ${head.name} is taken by a head of lsgmer; give it another`);
  return value as Head;
}

/**
 * The head with its source. Field by field: an instance of a class has its functions on its prototype.
 * What its own functions throw is its author's to mend, not a bug of ours.
 */
function ownHead(head: Head, path: string, source: string): Head {
  const { name, summary, options } = head;
  const own = <T>(part: string, run: () => T): T => {
    try {
      return run();
    } catch (error) {
      if (error instanceof UserError) throw error;
      const [first] = (error instanceof Error ? error.message : String(error)).split('\n');
      throw new UserError(`${path}: ${part}: ${first}; lsgmer head check tells more`, { cause: error });
    }
  };
  return {
    name,
    ...(summary === undefined ? {} : { summary }),
    source,
    options,
    parameters: (...given) => own('parameters', () => head.parameters(...given)),
    inputs: (...given) => own('inputs', () => head.inputs(...given)),
    forward: (...given) => own('forward', () => head.forward(...given)),
    loss: (...given) => own('loss', () => head.loss(...given)),
  };
}

/** sha256 over the files' contents in order of their relative paths: the same wherever they lie. */
function sourceDigest(folder: string, files: readonly string[]): string {
  const hash = createHash('sha256');
  const named = files.map((file) => [relative(folder, file).replaceAll('\\', '/'), file] as const);
  for (const [, file] of named.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const bytes = readFileSync(file);
    hash.update(`${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}

/** The first message of esbuild with its line, else the error's own. */
function reason(error: unknown, path: string): string {
  const { errors } = error as {
    errors?: { text: string; location?: { file: string; line: number } | null }[];
  };
  const first = errors?.[0];
  if (first === undefined) return `cannot be loaded: ${(error as Error).message.split('\n')[0]}`;
  const { location } = first;
  const where =
    location == null
      ? ''
      : `${relative(dirname(path), resolve(dirname(path), location.file))}:${location.line}: `;
  return `${where}${first.text}`;
}
