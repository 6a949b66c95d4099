import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { xxh64 } from '@node-rs/xxhash';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import { UserError } from '../../src/base/errors.ts';
import { sha256Hex } from '../../src/base/canonical-json.ts';
import { DamageError } from '../../src/store/damage-error.ts';
import { openFeatureSet } from '../../src/store/feature-set-reader.ts';
import { type IndexPart, readIndexPart, writeIndexPart } from '../../src/store/index-part.ts';
import type { StoredRow } from '../../src/store/feature-spec.ts';
import { bytesOf } from '../../src/store/row-hash.ts';
import { asStored, sampleFolder, sampleRows, sampleSpec, temporaryStore, writeRows } from './sample.ts';

const spec = sampleSpec({ kind: 'text' });
const rows = sampleRows(spec, 80);
const expected = new Map(rows.map((row) => [row.id, asStored(row, 'float16')]));

/** A set of two shards, made afresh for each test. */
function damageable() {
  const store = temporaryStore();
  writeRows(store, spec, rows, { shardBytes: 12_000 });
  const folder = sampleFolder(store, spec);
  const index = join(folder, 'index', 'main.json');
  const part = readIndexPart(index);
  expect(part.shards.length).toBe(2);
  const shards = part.shards.map((entry) => ({
    entry,
    path: join(folder, 'shards', `sha256-${entry.sha256}.arrow`),
  }));
  const first = shards[0];
  if (!first) throw new Error('no shard');
  return { store, folder, index, part, shards, first };
}

/** Bytewise: two hundred damaged sets are read row by row. */
function isRight(row: StoredRow): boolean {
  const right = expected.get(row.id) as StoredRow;
  const same = (a?: ArrayBufferView, b?: ArrayBufferView): boolean =>
    Buffer.compare(bytesOf(a ?? none), bytesOf(b ?? none)) === 0;
  return (
    row.n === right.n &&
    same(row.values, right.values) &&
    same(row.tokenIds, right.tokenIds) &&
    same(row.tokenSpans, right.tokenSpans)
  );
}
const none = new Uint8Array(0);

/** Reads every row; a row that is given back must be right. @returns the errors, which must all be one-line errors. */
function errorsOfReading(store: string): UserError[] {
  const errors: UserError[] = [];
  const note = (error: unknown): void => {
    if (!(error instanceof UserError)) throw error;
    expect(error.message).not.toContain('\n');
    errors.push(error);
  };
  try {
    const set = openFeatureSet({ stores: [store], dataset: spec.dataset, feature: spec.feature });
    for (const id of set.ids()) {
      try {
        expect(set.length(id)).toBe(expected.get(id)?.n);
        expect(isRight(set.read(id)), id).toBe(true);
      } catch (error) {
        note(error);
      }
    }
    set.close();
  } catch (error) {
    note(error);
  }
  return errors;
}

function withBytes(path: string, change: (bytes: Buffer) => Buffer, check: () => void): void {
  const sound = readFileSync(path);
  writeFileSync(path, change(Buffer.from(sound)));
  check();
  writeFileSync(path, sound);
}

const flip =
  (bit: number) =>
  (bytes: Buffer): Buffer => {
    bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    return bytes;
  };

describe('single-bit flips are noticed before the data is used', () => {
  it('anywhere in a shard: features, ids, lengths, tokens, checksums, padding, footer (200 at random)', () => {
    const { store, shards } = damageable();
    expect(errorsOfReading(store)).toEqual([]);
    const rng = Rng.for('flips');
    for (let i = 0; i < 200; i++) {
      const { entry, path } = rng.pick(shards);
      // half of them in the feature values, the others outside them, a third of those in the footer
      const [start, length] = rng.pick(entry.values) as [number, number];
      const footer = entry.bytes - 1500;
      const byte = i % 2 ? start + rng.int(length) : i % 3 ? rng.int(start) : footer + rng.int(1500);
      const bit = 8 * byte + rng.int(8);
      withBytes(path, flip(bit), () => {
        const errors = errorsOfReading(store);
        expect(errors.length, `bit ${bit} of ${path}`).toBeGreaterThan(0);
        for (const error of errors) {
          expect(error).toBeInstanceOf(DamageError);
          expect(error.message).toContain(path);
          expect(error.message).toMatch(/; run `lsgmer features repair`$/);
        }
      });
    }
    expect(errorsOfReading(store)).toEqual([]);
  });

  it('in the index (60 at random) and in what feature.json says of the features', () => {
    const { store, folder, index } = damageable();
    const rng = Rng.for('index flips');
    const size = readFileSync(index).length;
    for (let i = 0; i < 60; i++) {
      withBytes(index, flip(rng.int(8 * size)), () => {
        expect(errorsOfReading(store)[0]?.message).toContain(`${index} is damaged`);
      });
    }
    const text = readFileSync(join(folder, 'feature.json'), 'utf8');
    for (const word of [
      'dim',
      '8',
      'float16',
      'sample-text',
      'layer',
      '12',
      spec.fingerprint,
      'text',
      'stepSeconds',
    ]) {
      withBytes(join(folder, 'feature.json'), flip(8 * text.indexOf(word)), () => {
        expect(errorsOfReading(store).length, word).toBeGreaterThan(0);
      });
    }
  });

  it('names shard, row and id for damage in the feature values, and still gives the other rows', () => {
    const { store, first, part } = damageable();
    const row = rows[3];
    if (!row || part.utterances[row.id]?.shard !== 0) throw new Error('row 3 is not in the first shard');
    const before = rows.slice(0, 3).reduce((sum, { features }) => sum + 2 * features.length, 0);
    const [start] = first.entry.values[0] as [number, number];
    withBytes(first.path, flip(8 * (start + before)), () => {
      const errors = errorsOfReading(store);
      expect(errors.length).toBe(1);
      expect(errors[0]?.message).toMatch(
        new RegExp(
          `sha256-${first.entry.sha256}\\.arrow, row 3 \\(${row.id}\\), is damaged: its xxh64 is [0-9a-f]{16}, expected [0-9a-f]{16}; run`,
        ),
      );
      expect((errors[0] as DamageError).id).toBe(row.id);
    });
  });
});

describe('other damage', () => {
  it.each([
    ['cut short', (b: Buffer) => b.subarray(0, b.length - 1), /it has \d+ bytes, and the index says \d+/],
    ['empty', () => Buffer.alloc(0), /it has 0 bytes, and the index says \d+/],
    [
      'longer',
      (b: Buffer) => Buffer.concat([b, Buffer.from('garbage')]),
      /it has \d+ bytes, and the index says \d+/,
    ],
    ['zeroed in its first page', (b: Buffer) => b.fill(0, 0, 4096), /the xxh64 of its metadata is/],
    ['zeroed in its last page', (b: Buffer) => b.fill(0, b.length - 4096), /the xxh64 of its metadata is/],
  ] as const)('a shard that is %s', (_, change, message) => {
    const { store, first, part } = damageable();
    const inFirst = rows.filter(({ id }) => part.utterances[id]?.shard === 0);
    withBytes(first.path, change, () => {
      const errors = errorsOfReading(store);
      expect(errors.length).toBe(inFirst.length);
      for (const error of errors) expect(error.message).toMatch(message);
    });
  });

  it('is noticed in the background too', async () => {
    const { store, first } = damageable();
    const [start] = first.entry.values[0] as [number, number];
    writeFileSync(first.path, flip(8 * start + 3)(readFileSync(first.path)));
    const set = openFeatureSet({ stores: [store], dataset: spec.dataset, feature: spec.feature });
    const ids = rows.slice(0, 8).map(({ id }) => id);
    await expect(set.readPadded(ids, 12, new Uint16Array(8 * 12 * 8))).rejects.toThrow(
      /row 0 \(.*\), is damaged: its xxh64 is/,
    );
    writeFileSync(first.path, '');
    await expect(set.readPadded(ids.slice(1), 12, new Uint16Array(7 * 12 * 8))).rejects.toThrow(
      /is damaged: the file ends before byte/,
    );
    set.close();
  });

  it('a page of zeros among the feature values', () => {
    const { store, first } = damageable();
    const [start, length] = first.entry.values[0] as [number, number];
    withBytes(
      first.path,
      (b) => b.fill(0, start, start + Math.min(length, 4096)),
      () => {
        const errors = errorsOfReading(store);
        expect(errors.length).toBeGreaterThan(5);
        for (const error of errors) expect(error.message).toMatch(/row \d+ \(.*\), is damaged: its xxh64 is/);
      },
    );
  });

  it('a missing shard, and one shard in the place of another', () => {
    const { store, shards, first } = damageable();
    copyFileSync(shards[1]?.path ?? '', first.path);
    expect(errorsOfReading(store)[0]?.message).toContain(`${first.path} is damaged: `);
    rmSync(first.path);
    expect(errorsOfReading(store)[0]?.message).toBe(
      `${first.path} is damaged: the file is missing; run \`lsgmer features repair\``,
    );
  });

  it('a file that shrinks while it is open', () => {
    const { store, first } = damageable();
    const set = openFeatureSet({ stores: [store], dataset: spec.dataset, feature: spec.feature });
    const [a, b] = rows.slice(0, 2).map(({ id }) => id) as [string, string];
    set.read(a);
    writeFileSync(first.path, '');
    expect(() => set.read(b)).toThrow(/row 1 \(.*\), is damaged: the file ends before byte \d+/);
    set.close();
  });
});

describe('a shard and an index that do not belong together', () => {
  /** Puts changed bytes under their right name into the set, with right checksums, and changes the index otherwise. */
  function replaced(
    change: (bytes: Buffer) => Buffer,
    also: (part: IndexPart) => IndexPart = (p) => p,
  ): UserError[] {
    const { store, folder, index, part, first } = damageable();
    const bytes = change(readFileSync(first.path));
    const outside: Buffer[] = [];
    let at = 0;
    for (const [start, length] of first.entry.values) {
      outside.push(bytes.subarray(at, start));
      at = start + length;
    }
    outside.push(bytes.subarray(at));
    const sha256 = sha256Hex(bytes);
    writeFileSync(join(folder, 'shards', `sha256-${sha256}.arrow`), bytes);
    const entry = {
      ...first.entry,
      sha256,
      outside: xxh64(Buffer.concat(outside), 0n).toString(16).padStart(16, '0'),
    };
    writeIndexPart(index, also({ ...part, shards: [entry, ...part.shards.slice(1)] }));
    return errorsOfReading(store);
  }
  /** Replaces every occurrence of an ASCII text by another of the same length. */
  const swap =
    (from: string, to: string) =>
    (bytes: Buffer): Buffer =>
      Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1');

  it('the same bytes under the same name are fine', () => {
    expect(replaced((b) => b)).toEqual([]);
  });

  it('a newer format is refused with its version', () => {
    const errors = replaced((b) => {
      // the last string "1" of the file (length, character, zero) is the footer's format version
      b[b.lastIndexOf(Buffer.from([1, 0, 0, 0, 0x31, 0])) + 4] = 0x37;
      return b;
    });
    expect(errors[0]?.message).toMatch(
      /was written in format 7, and this lsgmer reads up to format 1: update lsgmer$/,
    );
  });

  it('a shard of another computation', () => {
    const errors = replaced(swap('"layer":12', '"layer":13'));
    expect(errors[0]?.message).toMatch(/describe different features: computation\.layer: 12 -> 13; run/);
  });

  it('columns of another name', () => {
    expect(replaced(swap('token_ids', 'token_idx'))[0]?.message).toMatch(
      /its columns are .*token_idx: list<int32>.*, expected .*token_ids/,
    );
  });

  it('an id that the shard does not hold', () => {
    const id = rows[0]?.id ?? '';
    expect(replaced(swap(id, `${id.slice(0, -1)}X`))[0]?.message).toContain(
      `it has no row for ${id}, and the index says that it has`,
    );
  });

  it('another number of rows', () => {
    const errors = replaced(
      (b) => b,
      (part) => ({ ...part, shards: part.shards.map((entry) => ({ ...entry, rows: entry.rows + 1 })) }),
    );
    expect(errors[0]?.message).toMatch(/it has \d+ rows, and the index says \d+/);
  });
});
