import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { digestJson, type Json, sha256Hex } from '../base/canonical-json.ts';
import { UserError, UserErrors } from '../base/errors.ts';
import { fileTrouble, readJsonFile } from '../base/text-file.ts';
import { foreignManifest, MEND } from './manifest-damage.ts';
import { readManifestInfo } from './manifest-file.ts';

/** Manifests of a dataset, the earlier ones too, lie under their digests. */
const FILE = /^sha256-([0-9a-f]{64})\.jsonl$/;

/**
 * Compares the manifests of a dataset in one store with all that vouches for them: each file with the digest in its name,
 * `manifest.json` with its form, the file that it names and the digest of its card.
 * @returns a line for each problem; none where there is no manifest and never was one.
 */
export function checkManifests(store: string, dataset: string): string[] {
  const missing = missingDescription(store, dataset);
  const files = filesOf(store, dataset);
  if (missing !== null) return [missing, ...files.flatMap((file) => contentProblem(file, null) ?? [])];
  const path = join(store, dataset, 'manifest.json');
  if (!existsSync(path)) return [];
  const problems: string[] = [];
  let current: string | null = null;
  try {
    const { dataset: said, manifest, card } = readManifestInfo(store, dataset);
    current = join(store, dataset, manifest.file);
    if (said !== dataset) problems.push(foreignManifest(path, said));
    // as it stands there: a later version may know more keys, with defaults
    const written = readJsonFile(path) as { card: { content: Json } };
    if (digestJson(written.card.content) !== card.sha256)
      problems.push(`${path}: its card is not what its digest says: ${MEND}`);
    if (basename(current) !== `sha256-${manifest.sha256}.jsonl`)
      problems.push(`${path}: manifest.sha256 is not that of ${manifest.file}: ${MEND}`);
    if (!files.includes(current)) problems.push(`${current}, which manifest.json names, is missing: ${MEND}`);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const lines = error instanceof UserErrors ? error.problems : [error.message];
    problems.push(...lines.map((line) => `${line}: ${MEND}`));
  }
  return [...problems, ...files.flatMap((file) => contentProblem(file, current) ?? [])];
}

/** What is to be said where `manifest.json` is gone and the rows that it named are there; null otherwise. */
export function missingDescription(store: string, dataset: string): string | null {
  const path = join(store, dataset, 'manifest.json');
  if (existsSync(path) || filesOf(store, dataset).length === 0) return null;
  return `${path} is missing, and manifests/ beside it has rows: ${MEND}`;
}

function contentProblem(file: string, current: string | null): string | null {
  const next = current === null || file === current ? MEND : 'it is an earlier manifest: remove it';
  try {
    const digest = sha256Hex(readFileSync(file));
    if (basename(file) === `sha256-${digest}.jsonl`) return null;
    return `${file} was changed or cut short: its sha256 is ${digest}: ${next}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return `${file}: ${fileTrouble(error)}: ${next}`;
  }
}

function filesOf(store: string, dataset: string): string[] {
  const folder = join(store, dataset, 'manifests');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => FILE.test(name))
    .sort()
    .map((name) => join(folder, name));
}
