import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readIndexPart, type ShardEntry, writeIndexPart } from '../../src/store/index-part.ts';
import { indexFolder, shardPath } from '../../src/store/layout.ts';
import { hex64, xxh64 } from '../../src/store/row-hash.ts';
import { INPUTS } from '../../src/store/shard-schema.ts';

/** Makes a set's shards what they were before they held input digests: the index alone says what rows were computed from. */
export function forgetInputs(folder: string): void {
  for (const name of readdirSync(indexFolder(folder)).filter((one) => one.endsWith('.json'))) {
    const path = join(indexFolder(folder), name);
    const part = readIndexPart(path);
    const shards = part.shards.map((entry) => older(folder, entry));
    writeIndexPart(path, { ...part, shards });
  }
}

function older(folder: string, entry: ShardEntry): ShardEntry {
  const path = shardPath(folder, entry.sha256);
  const text = readFileSync(path, 'latin1');
  if (!text.includes(INPUTS)) throw new Error(`${path} has no inputs`);
  const bytes = Buffer.from(text.replaceAll(INPUTS, INPUTS.replace(/.$/, '?')), 'latin1');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const outside = xxh64();
  let at = 0;
  for (const [start, length] of [...entry.values, [bytes.length, 0] as const]) {
    outside.update(bytes.subarray(at, start));
    at = start + length;
  }
  rmSync(path);
  writeFileSync(shardPath(folder, sha256), bytes);
  return { ...entry, sha256, outside: hex64(outside.digest()) };
}
