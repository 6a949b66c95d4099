import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { fileTrouble } from '../base/text-file.ts';
import { parseManifest, readManifest } from './manifest-file.ts';
import type { Utterance } from './utterance.ts';

/** A manifest named on a command line. */
export interface NamedManifest {
  /** Dataset and digest, or the file. */
  readonly name: string;
  readonly utterances: readonly Utterance[];
}

const DIGEST = /^(?:sha256-)?([0-9a-f]{6,64})$/;
/** The dataset's earlier manifests stay in the store, under their digests. */
const FILE = /^sha256-([0-9a-f]{64})\.jsonl$/;

/**
 * Reads a manifest by the path of its file, by the name of a dataset in the stores (its manifest of now), or by six or
 * more digits of the digest of any manifest that the stores hold.
 * @throws UserError where there is none, or several; UserErrors where its lines are no utterances.
 */
export function readNamedManifest(stores: readonly string[], reference: string): NamedManifest {
  if (existsSync(reference) && statSync(reference).isFile()) return readFile(reference, reference);
  if (stores.some((store) => existsSync(join(store, reference, 'manifest.json')))) {
    const { info, utterances } = readManifest(stores, reference);
    return { name: `${reference} ${info.manifest.sha256.slice(0, 12)}`, utterances };
  }
  const digest = DIGEST.exec(reference)?.[1];
  const there = listManifests(stores);
  const found = digest === undefined ? [] : there.filter((one) => one.sha256.startsWith(digest));
  const distinct = new Map(found.map((one) => [one.sha256, one]));
  const [first] = distinct.values();
  if (distinct.size === 1 && first !== undefined) {
    return readFile(first.file, `${first.dataset} ${first.sha256.slice(0, 12)}`);
  }
  const many = [...distinct.values()].map((one) => `${one.dataset} ${one.sha256.slice(0, 12)}`);
  const choices = (distinct.size > 1 ? many : there.map((one) => `${one.dataset} ${one.sha256.slice(0, 12)}`))
    .slice(0, 12)
    .join(', ');
  throw new UserError(
    distinct.size > 1
      ? `'${reference}' is the start of ${distinct.size} digests: ${choices}: give more digits`
      : `no manifest '${reference}': give a .jsonl file, a dataset, or the digest of one of ${choices === '' ? 'none in the store' : choices}`,
  );
}

function readFile(file: string, name: string): NamedManifest {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UserError(`cannot read ${file}: ${fileTrouble(error)}`);
  }
  return { name, utterances: parseManifest(text, file) };
}

function listManifests(stores: readonly string[]): { dataset: string; sha256: string; file: string }[] {
  return stores.flatMap((store) =>
    entries(store).flatMap((dataset) =>
      entries(join(store, dataset, 'manifests')).flatMap((name) => {
        const sha256 = FILE.exec(basename(name))?.[1];
        const file = join(store, dataset, 'manifests', name);
        return sha256 === undefined ? [] : [{ dataset, sha256, file }];
      }),
    ),
  );
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
