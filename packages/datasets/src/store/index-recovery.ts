import { closeSync, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import { UserError } from '../base/errors.ts';
import { ID_PATTERN } from '../manifest/utterance.ts';
import type { FeatureSpec } from './feature-spec.ts';
import {
  type IndexPart,
  type QuarantineEntry,
  type ShardEntry,
  UNKNOWN_INPUT,
  type UtteranceEntry,
} from './index-part.ts';
import { hex64, xxh64 } from './row-hash.ts';
import { describeShard } from './shard-metadata.ts';
import { UncheckedBytes } from './shard-salvage.ts';
import { diffSpecs, FORMAT, NewerFormatError } from './shard-schema.ts';

/** A whole shard that no readable index part lists, described by itself. */
export interface FoundShard {
  readonly entry: ShardEntry;
  readonly ids: readonly string[];
  /** Digest of what each row was computed from, by id; null where the shard does not say it. */
  readonly inputs: ReadonlyMap<string, string | null>;
  readonly spec: FeatureSpec;
  /** Last change, milliseconds since the epoch. */
  readonly changed: number;
}

/**
 * Describes a shard whose bytes are known to be those that its name says.
 * @returns null for a shard that is no feature of ours.
 */
export function findShard(path: string, sha256: string): FoundShard | null {
  const fd = openSync(path, 'r');
  try {
    const { size, mtimeMs } = fstatSync(fd);
    const bytes = new UncheckedBytes(fd, size, path);
    const { spec, split, dtype, metadata, inputs, values } = describeShard(bytes, path);
    const outside = xxh64();
    let at = 0;
    for (const [start, length] of [...values, [size, 0] as const]) {
      outside.update(bytes.copy(at, start - at));
      at = start + length;
    }
    const rows = metadata.ids.length;
    const entry = { sha256, split, dtype, rows, bytes: size, outside: hex64(outside.digest()), values };
    const byId = new Map(metadata.ids.map((id, row) => [id, inputs[row] ?? null]));
    return { entry, ids: metadata.ids, inputs: byId, spec, changed: mtimeMs };
  } catch (error) {
    if (error instanceof NewerFormatError || !(error instanceof UserError)) throw error;
    return null;
  } finally {
    closeSync(fd);
  }
}

/** What can still be made out in a damaged index part: a hint for each utterance, never trusted for what shards say. */
interface Traces {
  /** Shards in order, by sha256. */
  readonly shards: readonly string[];
  readonly utterances: ReadonlyMap<string, UtteranceEntry>;
  readonly quarantined: ReadonlyMap<string, QuarantineEntry>;
}

/** Entries stand in RFC 8785 order (keys sorted), so each can be told alone, whatever happened to its neighbours. */
const UTTERANCE = /"([^"\\]+)":\{"input":"([^"\\]*)"(?:,"revision":(\d{1,9}))?,"shard":(\d{1,9})\}/g;
const QUARANTINED =
  /"([^"\\]+)":\{"input":"([^"\\]*)","reason":("(?:[^"\\]|\\.)*")(?:,"revision":(\d{1,9}))?\}/g;
const SHARD = /"sha256":"([0-9a-f]{64})","split":/g;

function readTraces(path: string): Traces {
  const text = readFileSync(path, 'utf8');
  const utterances = new Map<string, UtteranceEntry>();
  for (const [, id = '', input = '', revision, shard] of text.matchAll(UTTERANCE)) {
    if (ID_PATTERN.test(id)) utterances.set(id, { input, shard: Number(shard), ...revised(revision) });
  }
  const quarantined = new Map<string, QuarantineEntry>();
  for (const [, id = '', input = '', reason = '""', revision] of text.matchAll(QUARANTINED)) {
    const words = parsed(reason);
    if (ID_PATTERN.test(id) && words !== null)
      quarantined.set(id, { input, reason: words, ...revised(revision) });
  }
  return { shards: [...text.matchAll(SHARD)].map((match) => match[1] as string), utterances, quarantined };
}

const revised = (digits: string | undefined): { revision?: number } =>
  Number(digits ?? 0) > 0 ? { revision: Number(digits) } : {};

function parsed(json: string): string | null {
  try {
    return JSON.parse(json) as string;
  } catch {
    return null;
  }
}

/** A part made anew, and what could not be. */
export interface RebuiltPart {
  readonly index: IndexPart;
  /** Rows whose input digest is gone: they are stale. */
  readonly unknown: readonly string[];
  /** Rows that no entry of the damaged file names: another part's, where there are several. */
  readonly unnamed: readonly string[];
  /** Rows whose input digest comes from an entry of the damaged file: to be compared with the manifest. */
  readonly unsure: readonly string[];
  /** Utterances that the damaged file names, and no whole shard holds. */
  readonly lost: readonly string[];
}

/**
 * Makes an index part from whole shards that no other part lists. Ids, lengths and checksums come from the
 * shards, and input digests from those that have them. Revisions and quarantined utterances stood in the index alone, and come
 * from the damaged file where its entry can still be made out; so do input digests of older shards (a wrong one only makes the
 * row stale).
 * @param path of the damaged part.
 * @param others ids that readable parts hold, with their revision.
 */
export function rebuildPart(
  path: string,
  part: string,
  spec: FeatureSpec,
  found: readonly FoundShard[],
  others: ReadonlyMap<string, number>,
): RebuiltPart {
  const traces = statSync(path, { throwIfNoEntry: false })
    ? readTraces(path)
    : { shards: [], utterances: new Map<string, UtteranceEntry>(), quarantined: new Map() };
  const listed = new Set(traces.shards);
  const usable = found
    .filter((shard) => diffSpecs(shard.spec, spec).length === 0)
    .sort(
      (a, b) =>
        Number(listed.has(a.entry.sha256)) - Number(listed.has(b.entry.sha256)) || a.changed - b.changed,
    );
  // later ones win: newer over older, then listed ones over all others, then the one that the entry names
  const home = new Map<string, FoundShard>();
  for (const shard of usable) for (const id of shard.ids) home.set(id, shard);
  for (const [id, { shard }] of traces.utterances) {
    const named = usable.find(({ entry }) => entry.sha256 === traces.shards[shard]);
    if (named?.inputs.has(id)) home.set(id, named);
  }
  const shards: ShardEntry[] = [];
  const utterances: Record<string, UtteranceEntry> = {};
  const unknown: string[] = [];
  const unsure: string[] = [];
  const unnamed: string[] = [];
  for (const [id, { entry, inputs }] of home) {
    const trace = traces.utterances.get(id);
    const rival = others.get(id);
    if (rival !== undefined && rival >= (trace?.revision ?? 0)) continue;
    let position = shards.indexOf(entry);
    if (position < 0) position = shards.push(entry) - 1;
    const sure = trace !== undefined && traces.shards[trace.shard] === entry.sha256;
    if (!sure) unnamed.push(id);
    const said = inputs.get(id) ?? UNKNOWN_INPUT;
    const fromTrace = said === UNKNOWN_INPUT && sure;
    const input = fromTrace ? trace.input : said;
    if (input === UNKNOWN_INPUT) unknown.push(id);
    else if (fromTrace) unsure.push(id);
    utterances[id] = {
      shard: position,
      input,
      ...revised(String(trace?.revision ?? 0)),
    };
  }
  const quarantined = Object.fromEntries([...traces.quarantined].filter(([id]) => !(id in utterances)));
  const { dataset, feature, fingerprint } = spec;
  return {
    index: { format: FORMAT, dataset, feature, fingerprint, part, shards, utterances, quarantined },
    unknown,
    unnamed,
    unsure,
    lost: [...traces.utterances.keys()].filter((id) => !home.has(id) && !others.has(id)),
  };
}
