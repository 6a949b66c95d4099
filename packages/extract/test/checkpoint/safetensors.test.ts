import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { UserError } from '@lsgmer/datasets';
import { readSafetensorsTensors } from '../../src/checkpoint/safetensors.ts';
import { goldenPath } from '../support.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-safetensors-'));
afterAll(() => rmSync(folder, { recursive: true }));
const whole = readFileSync(goldenPath('checkpoints/roberta/model.safetensors'));

function written(bytes: Uint8Array): string {
  const path = join(folder, 'model.safetensors');
  writeFileSync(path, bytes);
  return path;
}

function withHeader(header: unknown): string {
  const json = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(json.length));
  return written(Buffer.concat([size, json, Buffer.alloc(64)]));
}

it('finds every tensor of a file that transformers wrote', () => {
  const tensors = readSafetensorsTensors(written(whole));
  expect(tensors).toHaveLength(39);
  const embedding = tensors.find(({ name }) => name === 'embeddings.word_embeddings.weight');
  expect(embedding).toMatchObject({ kind: 'F32', shape: [300, 16] });
});

it('refuses what is cut off or damaged, with the place', () => {
  const read = (path: string) => () => readSafetensorsTensors(path);
  expect(read(written(whole.subarray(0, whole.length - 4)))).toThrow(UserError);
  expect(read(written(whole.subarray(0, whole.length - 4)))).toThrow(
    /model\.safetensors: it is cut off: \d+ bytes, its tensors end at byte \d+; fetch it again/,
  );
  expect(read(written(Buffer.from('abc')))).toThrow('it is no safetensors file: 3 bytes');
  expect(read(written(Buffer.from('<!DOCTYPE html>')))).toThrow(/a header of \d+ bytes in a file of 15/);
  expect(read(withHeader({ a: { dtype: 'F4', shape: [2], data_offsets: [0, 2] } }))).toThrow(
    'a is F4: expected F32, F16, BF16 or F64',
  );
});
