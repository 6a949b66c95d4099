import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { encodeWav } from '../src/manifest/wav-write.ts';
import type { Utterance } from '../src/manifest/utterance.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** A folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lsgmer-datasets-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A file of the repository. */
export function repositoryFile(path: string): string {
  return join(ROOT, path);
}

/** A folder or file of the shared test data, or undefined (with a line that says so) where it is absent. */
export function sharedData(path: string): string | undefined {
  const found = join(ROOT, '../shared/data', path);
  if (existsSync(found)) return found;
  process.stderr.write(`skipped: ../shared/data/${path} is absent\n`);
  return undefined;
}

/** Writes files below a folder. */
export function putFiles(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, data] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), data);
  }
}

/** A 16 kHz WAV of that length; `mark` makes its bytes differ from another's. */
export function wavBytes(seconds: number, mark = 1): Buffer {
  const samples = new Float32Array(Math.round(seconds * 16000));
  return encodeWav(
    samples.map((_, i) => (((i + mark) % 97) - 48) / 100),
    16000,
  );
}

/** A row with everything that a test does not care for. */
export function row(id: string, changes: Partial<Utterance> = {}): Utterance {
  return {
    id,
    dataset: id.split('/')[0] as string,
    split: null,
    session: null,
    dialogue: null,
    turn: null,
    speaker: null,
    rawLabel: null,
    annotations: [],
    text: 'words',
    rawText: 'words',
    textSource: 'corpus',
    media: { path: `${id}.wav`, sha256: null, seconds: null, sampleRate: null, channels: null },
    tags: {},
    ...changes,
  };
}
