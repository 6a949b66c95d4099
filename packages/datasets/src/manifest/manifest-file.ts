import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { canonicalJson, digestJson, sha256Hex, type Json } from '../base/canonical-json.ts';
import { UserError, UserErrors } from '../base/errors.ts';
import { schemaProblems } from '../base/schema-problems.ts';
import { fileTrouble, readJsonFile } from '../base/text-file.ts';
import { JsonValue } from '../store/feature-spec.ts';
import { Card } from './card.ts';
import { foreignManifest, hasContent, MEND } from './manifest-damage.ts';
import { compareIds, Utterance } from './utterance.ts';

const Hex = z.string().regex(/^[0-9a-f]{64}$/);

/** `<store>/<dataset>/manifest.json`: which manifest is the dataset's, and what it was built from. Written last. */
export const ManifestInfo = z.strictObject({
  format: z.literal(1),
  dataset: z.string(),
  manifest: z.strictObject({
    /** Relative to `<store>/<dataset>`. */
    file: z.string().regex(/^manifests\/sha256-[0-9a-f]{64}\.jsonl$/),
    sha256: Hex,
    bytes: z.number().int().nonnegative(),
    rows: z.number().int().nonnegative(),
  }),
  /** The card as it was when the manifest was built, so that a pulled dataset can be trained with nothing else. */
  card: z.strictObject({ sha256: Hex, content: Card }),
  /** What the building was asked for: media mode, text normalisation, column mapping of a table. */
  options: z.record(z.string(), JsonValue),
  counts: z.strictObject({
    utterances: z.number().int(),
    labels: z.record(z.string(), z.number().int()),
    splits: z.record(z.string(), z.number().int()),
    sessions: z.record(z.string(), z.number().int()),
    speakers: z.number().int(),
    dialogues: z.number().int(),
    /** Sum over the media whose length is known. */
    seconds: z.number(),
  }),
  tool: z.string(),
});
export type ManifestInfo = z.infer<typeof ManifestInfo>;

/** A manifest as read: its description, and every utterance in order. */
export interface Manifest {
  readonly info: ManifestInfo;
  readonly card: Card;
  readonly utterances: readonly Utterance[];
  /** Path of the .jsonl file. */
  readonly file: string;
}

/** Most line problems that one error lists. */
const SHOWN = 20;

/** One RFC 8785 line for each utterance, sorted by the UTF-8 bytes of the id: the same rows give the same bytes. */
export function formatManifest(utterances: readonly Utterance[]): string {
  const sorted = [...utterances].sort((a, b) => compareIds(a.id, b.id));
  return sorted.map((utterance) => `${canonicalJson(utterance as unknown as Json)}\n`).join('');
}

/**
 * Reads the lines of a manifest.
 * @throws UserErrors with one line for each problem: place, what was expected, what was found.
 */
export function parseManifest(text: string, file: string): Utterance[] {
  const { utterances, problems } = scanManifest(text, file);
  if (problems.length > 0) throw new UserErrors(shorten(problems));
  return utterances;
}

function scanManifest(text: string, file: string): { utterances: Utterance[]; problems: string[] } {
  const utterances: Utterance[] = [];
  const problems: string[] = [];
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  else problems.push(`${file}:${lines.length}: the last line has no line end: the file is cut short`);
  let last: string | null = null;
  lines.forEach((line, i) => {
    const place = `${file}:${i + 1}`;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      problems.push(`${place}: not JSON: ${(error as Error).message}`);
      return;
    }
    const parsed = Utterance.safeParse(value);
    if (!parsed.success) {
      problems.push(...schemaProblems(parsed.error).map((problem) => `${place}: ${problem}`));
      return;
    }
    const { id } = parsed.data;
    if (last !== null && compareIds(last, id) >= 0) {
      problems.push(
        `${place}: ${last === id ? `id ${id} is there twice` : `id ${id} comes after ${last}: not sorted`}`,
      );
    }
    last = id;
    utterances.push(parsed.data);
  });
  return { utterances, problems };
}

function shorten(problems: readonly string[]): string[] {
  if (problems.length <= SHOWN) return [...problems];
  return [...problems.slice(0, SHOWN), `... and ${problems.length - SHOWN} more problems`];
}

/**
 * Writes a manifest into a store: the lines under their digest, then `manifest.json`, each whole or not at all.
 * Nothing in either file depends on time, path or machine.
 */
export function writeManifest(
  store: string,
  content: {
    readonly card: Card;
    readonly utterances: readonly Utterance[];
    readonly options: Record<string, Json>;
    readonly tool: string;
  },
): Manifest {
  const { card, utterances } = content;
  const bytes = Buffer.from(formatManifest(utterances), 'utf8');
  const sha256 = sha256Hex(bytes);
  const relative = `manifests/sha256-${sha256}.jsonl`;
  const folder = join(store, card.name);
  const file = join(folder, relative);
  const info: ManifestInfo = {
    format: 1,
    dataset: card.name,
    manifest: { file: relative, sha256, bytes: bytes.length, rows: utterances.length },
    card: { sha256: digestJson(card as unknown as Json), content: card },
    options: content.options,
    counts: countRows(utterances),
    tool: content.tool,
  };
  try {
    if (!hasContent(file, sha256)) writeFileAtomic(file, bytes);
    writeFileAtomic(join(folder, 'manifest.json'), prettyJson(info as unknown as Json));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw new UserError(
      `cannot write the manifest of ${card.name} into store ${store}: ${fileTrouble(error)}`,
    );
  }
  return { info, card, utterances: [...utterances].sort((a, b) => compareIds(a.id, b.id)), file };
}

/** JSON with sorted keys and indentation: byte-stable, and readable in a diff. */
function prettyJson(value: Json): string {
  return `${JSON.stringify(JSON.parse(canonicalJson(value)), null, 2)}\n`;
}

function countRows(utterances: readonly Utterance[]): ManifestInfo['counts'] {
  const tally = (values: (string | null)[]) => {
    const counts = new Map<string, number>();
    for (const value of values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
    return counts;
  };
  return {
    utterances: utterances.length,
    labels: Object.fromEntries(tally(utterances.map((u) => u.rawLabel))),
    splits: Object.fromEntries(tally(utterances.map((u) => u.split))),
    sessions: Object.fromEntries(tally(utterances.map((u) => u.session))),
    speakers: tally(utterances.map((u) => u.speaker)).size,
    dialogues: tally(utterances.map((u) => u.dialogue)).size,
    // to the millisecond, so that the order of summation cannot show
    seconds: Math.round(utterances.reduce((sum, u) => sum + (u.media?.seconds ?? 0), 0) * 1000) / 1000,
  };
}

/**
 * Reads a dataset's manifest from the first of the stores that has one, and checks its digest and every line.
 * @throws UserError where no store has it, or it is another dataset's (a copied folder); UserErrors where its files do not fit together, with line numbers.
 */
export function readManifest(stores: string | readonly string[], dataset: string): Manifest {
  const folder = manifestFolder(stores, dataset);
  const path = join(folder, 'manifest.json');
  const info = readInfo(path);
  if (info.dataset !== dataset) throw new UserError(foreignManifest(path, info.dataset));
  const file = join(folder, info.manifest.file);
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new UserError(
      `cannot read the manifest ${file} that manifest.json names: ${fileTrouble(error)}: ${MEND}`,
    );
  }
  const { utterances, problems } = scanManifest(bytes.toString('utf8'), file);
  const digest = sha256Hex(bytes);
  if (digest !== info.manifest.sha256) {
    const found = `expected sha256 ${info.manifest.sha256} (${info.manifest.bytes} bytes), found ${digest} (${bytes.length} bytes)`;
    problems.unshift(`${file}: ${found}: the file was changed or cut short; ${MEND}`);
  }
  if (problems.length > 0) throw new UserErrors(shorten(problems));
  return { info, card: info.card.content, utterances, file };
}

/**
 * The description of a dataset's manifest alone, without its rows.
 * @throws as `readManifest`
 */
export function readManifestInfo(stores: string | readonly string[], dataset: string): ManifestInfo {
  return readInfo(join(manifestFolder(stores, dataset), 'manifest.json'));
}

function manifestFolder(stores: string | readonly string[], dataset: string): string {
  const list = typeof stores === 'string' ? [stores] : stores;
  const store = list.find((one) => existsSync(join(one, dataset, 'manifest.json')));
  if (store !== undefined) return join(store, dataset);
  throw new UserError(
    `no manifest of dataset ${dataset} in store ${list.join(', ')}: build it with 'lsgmer manifest build --dataset ${dataset} --root FOLDER'`,
  );
}

function readInfo(file: string): ManifestInfo {
  const parsed = ManifestInfo.safeParse(readJsonFile(file));
  if (!parsed.success) throw new UserErrors(schemaProblems(parsed.error).map((line) => `${file}: ${line}`));
  return parsed.data;
}
