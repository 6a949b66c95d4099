import { readFileSync } from 'node:fs';
import * as zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type ForeignArray, stepsOf } from '../../src/exchange/foreign-array.ts';
import { openForeign } from '../../src/exchange/open-foreign.ts';
import { putFiles, repositoryFile, temporaryFolder } from '../support.ts';

interface Case {
  readonly path: string;
  readonly of: 'steps' | 'vectors' | null;
  readonly error?: string;
  readonly id?: string;
  readonly column?: string;
  readonly length?: string;
  readonly dim?: number;
  readonly layer?: number;
  readonly transpose?: boolean;
  /** Compressed as only newer Node unpacks it. */
  readonly zstd?: boolean;
}

const folder = repositoryFile('test/golden/exchange');
const golden = JSON.parse(readFileSync(`${folder}/exchange.json`, 'utf8')) as {
  ids: string[];
  steps: number[][][];
  vectors: number[][];
  cases: Case[];
};
const hasZstd = 'zstdDecompressSync' in zlib;

async function read({
  path,
  id,
  column,
  length,
}: Case): Promise<{ arrays: ForeignArray[]; problems: string[] }> {
  const source = await openForeign(`${folder}/files/${path}`, { id, column, length });
  const arrays: ForeignArray[] = [];
  const problems: string[] = [];
  for await (const one of source.arrays()) {
    if ('problem' in one) problems.push(`${one.place}: ${one.problem}`);
    else arrays.push(one);
  }
  if (source.count !== null && problems.length === 0) expect(arrays.length).toBeLessThanOrEqual(source.count);
  return { arrays, problems };
}

describe('files that Python tools wrote', () => {
  it.each(golden.cases.map((one) => [`${one.path} ${one.column ?? ''}`, one] as const))(
    '%s',
    async (_, one) => {
      const layout = { transpose: one.transpose ?? false, layer: one.layer ?? null, dim: one.dim ?? null };
      const { arrays, problems } = await read(one);
      if (one.of === null) {
        const refusals = [...problems];
        for (const array of arrays) {
          try {
            stepsOf(array, layout);
          } catch (error) {
            refusals.push(`${array.place}: ${(error as Error).message}`);
          }
        }
        expect(refusals.length).toBeGreaterThan(0);
        for (const refusal of refusals) expect(refusal).toContain(`: ${one.error}`);
        return;
      }
      if (one.zstd === true && !hasZstd) {
        expect(problems).toEqual([expect.stringContaining('Node unpacks from 22.15 on')]);
        return;
      }
      expect(problems).toEqual([]);
      const found = arrays.map((array) => {
        const { n, dim, values } = stepsOf(array, layout);
        const names = array.names.flatMap((name) => name.split('/'));
        const id = golden.ids.find((wanted) => names.includes(wanted));
        return {
          id,
          steps: Array.from({ length: n }, (_x, i) => [...values.subarray(i * dim, (i + 1) * dim)]),
        };
      });
      const expected = golden.ids.map((id, i) => ({
        id,
        steps: one.of === 'steps' ? golden.steps[i] : [golden.vectors[i]],
      }));
      expect(found).toEqual(expected);
    },
  );

  it('can be gone through again, and only in part', async () => {
    for (const path of [
      'npy-f4',
      'stored.npz',
      'padded.npz',
      'f32.safetensors',
      'nested.parquet',
      'lz4.feather',
    ]) {
      const source = await openForeign(`${folder}/files/${path}`, {});
      for (let pass = 0; pass < 2; pass++) {
        const places: string[] = [];
        for await (const one of source.arrays((names) => names.some((name) => name.endsWith('u1')))) {
          places.push(one.place);
        }
        expect(places, path).toHaveLength(1);
      }
    }
  });
});

describe('paths', () => {
  it('without anything to read name what there is, and what to do', async () => {
    await expect(openForeign(`${folder}/files/pickles`, {})).rejects.toThrow(
      /holds no file of \.npy, .* \(found: 1 \.pkl\); \.pkl files are not read, convert them in Python: for name, a in pickle/,
    );
    await expect(openForeign(`${folder}/nowhere`, {})).rejects.toThrow(
      /nowhere cannot be read: there is no such/,
    );
  });

  it('with several formats ask for one', async () => {
    const here = temporaryFolder();
    putFiles(here, { 'a.npy': '', 'b/c.npz': '', 'notes.txt': '' });
    await expect(openForeign(here, {})).rejects.toThrow(
      /several formats \(1 npy, 1 npz\): choose one with --format/,
    );
    const source = await openForeign(here, {}, 'npy');
    const found = [];
    for await (const one of source.arrays()) found.push(one);
    expect(found).toEqual([
      { place: `${here}/a.npy`, problem: expect.stringMatching(/^it is no \.npy file/) },
    ]);
  });
});
