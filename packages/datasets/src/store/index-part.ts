import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { canonicalJson, type Json, sha256Hex } from '../base/canonical-json.ts';
import { UserError } from '../base/errors.ts';
import { ID_PATTERN } from '../manifest/utterance.ts';
import { FeatureDtype } from './feature-spec.ts';
import { FINGERPRINT_PATTERN } from './layout.ts';
import { FORMAT, refuseNewer } from './shard-schema.ts';

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const Count = z.number().int().nonnegative();
const Id = z.string().regex(ID_PATTERN);

export const ShardEntry = z.strictObject({
  sha256: Sha256,
  split: z.string().nullable(),
  dtype: FeatureDtype,
  rows: Count,
  bytes: Count,
  /** xxh64 of every byte outside the feature values, in file order. */
  outside: z.string().regex(/^[0-9a-f]{16}$/),
  /**
   * [offset, length] in bytes of each batch's feature values: which bytes are outside is known, and they are
   * checked, before a single one of them is interpreted.
   */
  values: z.array(z.tuple([Count, Count]).readonly()).readonly(),
});
export type ShardEntry = z.infer<typeof ShardEntry>;

/**
 * Input of a row whose index entry is gone. No digest is equal to it, so the row stays readable and is computed
 * again by the next extraction.
 */
export const UNKNOWN_INPUT = 'unknown';

/**
 * How often an utterance was computed again because its input had changed; absent for 0. Where several parts
 * hold an utterance the highest revision wins, whichever part has it.
 */
const Revision = z.number().int().positive().optional();

const UtteranceEntry = z.strictObject({
  /** Position in `shards`. */
  shard: Count,
  /** sha256 of what was encoded. */
  input: z.string(),
  revision: Revision,
});

const QuarantineEntry = z.strictObject({ reason: z.string(), input: z.string(), revision: Revision });

/** Contents of `index/<part>.json`, without its own sha256. */
export const IndexPart = z.strictObject({
  format: z.literal(FORMAT),
  dataset: z.string(),
  feature: z.string(),
  fingerprint: z.string().regex(FINGERPRINT_PATTERN),
  part: z.string(),
  shards: z.array(ShardEntry),
  utterances: z.record(Id, UtteranceEntry),
  quarantined: z.record(Id, QuarantineEntry),
});
export type IndexPart = z.infer<typeof IndexPart>;
export type UtteranceEntry = z.infer<typeof UtteranceEntry>;
export type QuarantineEntry = z.infer<typeof QuarantineEntry>;

/**
 * Text of an index part: its RFC 8785 JSON, in which a last member `"sha256"` is put behind all others, holding
 * the sha256 of that JSON without it, and one line feed.
 */
export function encodeIndexPart(part: IndexPart): string {
  const body = canonicalJson(part as Json);
  return `${body.slice(0, -1)},"sha256":"${sha256Hex(body)}"}\n`;
}

const TAIL = /,"sha256":"([0-9a-f]{64})"\}\n$/;

/**
 * Parses an index part after checking that every byte is as it was written.
 * @param where the file's path, for messages.
 * @throws UserError when it is damaged or of a newer format.
 */
export function decodeIndexPart(bytes: Uint8Array, where: string): IndexPart {
  const tail = TAIL.exec(Buffer.from(bytes.subarray(-90)).toString('latin1'));
  if (!tail) throw damaged(where, 'it does not end with its sha256');
  const body = Buffer.concat([bytes.subarray(0, bytes.length - tail[0].length), Buffer.from('}')]);
  const found = sha256Hex(body);
  if (found !== tail[1]) throw damaged(where, `its sha256 is ${found}, and it says ${tail[1]}`);
  const value = JSON.parse(body.toString('utf8')) as unknown;
  refuseNewer((value as { format?: unknown } | null)?.format, where);
  const parsed = IndexPart.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw damaged(where, `"${issue?.path.join('.')}": ${issue?.message}`);
  }
  for (const [id, { shard }] of Object.entries(parsed.data.utterances)) {
    if (shard >= parsed.data.shards.length)
      throw damaged(where, `${id} is said to be in shard ${shard}, which it does not list`);
  }
  return parsed.data;
}

/** An index part is not as it was written. */
export class DamagedIndexError extends UserError {
  readonly what: string;
  constructor(where: string, what: string) {
    super(
      `${where} is damaged: ${what}; run \`lsgmer features repair\`, or remove this file to compute its utterances again`,
    );
    this.what = what;
  }
}

const damaged = (where: string, what: string): DamagedIndexError => new DamagedIndexError(where, what);

/** @throws UserError when the file is damaged or of a newer format, the file system's error when it can't be read. */
export function readIndexPart(path: string): IndexPart {
  return decodeIndexPart(readFileSync(path), path);
}

/** Replaces an index part as a whole. */
export function writeIndexPart(path: string, part: IndexPart): void {
  writeFileAtomic(path, encodeIndexPart(part));
}
