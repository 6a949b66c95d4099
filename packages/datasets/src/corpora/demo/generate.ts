import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { syncFolder, temporaryName, writeFileAtomic } from '../../base/atomic-file.ts';
import { sha256Hex } from '../../base/canonical-json.ts';
import { Interrupted, UserError } from '../../base/errors.ts';
import type { Reporter } from '../../base/reporter.ts';
import { Rng } from '../../base/rng.ts';
import { fileTrouble } from '../../base/text-file.ts';
import { encodeWav } from '../../manifest/wav-write.ts';
import { isDead, ownerOf } from '../../store/writer-lease.ts';
import { dialogueFiles, recordingPath } from './layout.ts';
import { planDemo } from './plan.ts';
import { SAMPLE_RATE, speak } from './voice.ts';

/** Raised when the same seed gives other files. */
export const DEMO_VERSION = 1;
export const DEMO_SEED = 1;
/** Labelled utterances in the task. */
export const DEMO_UTTERANCES = 800;

/** Written last: says that the corpus is whole, and what it is. */
const MARKER = 'demo.json';
const Marker = z.strictObject({
  generator: z.literal('lsgmer demo corpus'),
  version: z.number().int(),
  seed: z.union([z.number(), z.string()]),
  utterances: z.number().int(),
  files: z.number().int(),
  /** sha256 over `<sha256>  <path>` lines of all files, sorted by path. */
  digest: z.string(),
});
type Marker = z.infer<typeof Marker>;

export interface DemoOptions {
  readonly seed?: number | string;
  readonly utterances?: number;
  readonly reporter: Reporter;
  readonly signal?: AbortSignal;
}

/**
 * Makes sure that the demo corpus lies in `root`, in IEMOCAP's layout. One that is whole, of this version, seed and
 * size is left as it is; any other of ours is replaced. Made beside its place and renamed, so that it is there whole
 * or not at all.
 * @returns whether it was made now.
 * @throws UserError where the folder holds something else or cannot be written; Interrupted on the signal.
 */
export async function generateDemo(root: string, options: DemoOptions): Promise<boolean> {
  const folder = resolve(root);
  const wanted = { seed: options.seed ?? DEMO_SEED, utterances: options.utterances ?? DEMO_UTTERANCES };
  const found = inspect(folder);
  if (found === 'foreign') {
    throw new UserError(`${root} holds other files than the demo corpus: give an empty or new folder`);
  }
  if (found !== 'none' && isWanted(found, wanted) && digestFolder(folder).digest === found.digest)
    return false;
  try {
    removeLeftovers(folder);
    const temporary = temporaryName(folder);
    try {
      await write(temporary, wanted, options);
      if (existsSync(folder)) rmSync(folder, { recursive: true });
      renameSync(temporary, folder);
      syncFolder(dirname(folder));
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw new UserError(`cannot write the demo corpus to ${root}: ${fileTrouble(error)}`);
  }
  return true;
}

interface Wanted {
  readonly seed: number | string;
  readonly utterances: number;
}

function isWanted(marker: Marker, wanted: Wanted): boolean {
  return (
    marker.version === DEMO_VERSION && marker.seed === wanted.seed && marker.utterances === wanted.utterances
  );
}

/** What lies at the root: nothing (or an empty folder), a demo corpus by its marker, or something else. */
function inspect(root: string): 'none' | 'foreign' | Marker {
  let names: string[];
  try {
    names = readdirSync(root);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'none';
    throw new UserError(`cannot read ${root}: ${fileTrouble(error)}`);
  }
  if (names.length === 0) return 'none';
  if (!names.includes(MARKER)) return 'foreign';
  try {
    return Marker.parse(JSON.parse(readFileSync(join(root, MARKER), 'utf8')));
  } catch {
    return 'foreign';
  }
}

/** Removes what a run that was killed has left beside the root. */
function removeLeftovers(root: string): void {
  if (!existsSync(dirname(root))) return;
  for (const name of readdirSync(dirname(root))) {
    const owner = name.endsWith(`-${basename(root)}`) ? ownerOf(name) : null;
    if (owner !== null && isDead(owner)) rmSync(join(dirname(root), name), { recursive: true });
  }
}

async function write(folder: string, wanted: Wanted, options: DemoOptions): Promise<void> {
  const dialogues = planDemo(wanted.seed, wanted.utterances);
  const total = dialogues.reduce((sum, dialogue) => sum + dialogue.turns.length, 0);
  let done = 0;
  for (const dialogue of dialogues) {
    await setImmediate();
    if (options.signal?.aborted === true) throw new Interrupted('stopped while making the demo corpus');
    for (const file of dialogueFiles(wanted.seed, dialogue)) put(folder, file.path, file.text);
    for (const turn of dialogue.turns) {
      const rng = Rng.for('demo', wanted.seed, 'voice', turn.name);
      const samples = speak(rng, turn.speaker, turn.delivery, turn.prosody);
      put(folder, recordingPath(dialogue, turn), encodeWav(samples, SAMPLE_RATE));
    }
    done += dialogue.turns.length;
    options.reporter.progress({ task: 'demo corpus', done, total, unit: 'utterances' });
  }
  const { files, digest } = digestFolder(folder);
  const marker: Marker = { generator: 'lsgmer demo corpus', version: DEMO_VERSION, ...wanted, files, digest };
  writeFileAtomic(join(folder, MARKER), `${JSON.stringify(marker, null, 2)}\n`);
}

function put(folder: string, path: string, data: string | Uint8Array): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), data);
}

function digestFolder(folder: string): { files: number; digest: string } {
  const lines = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== MARKER)
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort()
    .map((path) => `${sha256Hex(readFileSync(join(folder, path)))}  ${path}\n`);
  return { files: lines.length, digest: sha256Hex(lines.join('')) };
}
