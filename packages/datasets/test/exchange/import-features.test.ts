import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Interrupted, UserErrors } from '../../src/base/errors.ts';
import type { ForeignArray, ForeignProblem, ForeignSource } from '../../src/exchange/foreign-array.ts';
import { type ImportOptions, importFeatures } from '../../src/exchange/import-features.ts';
import { openFeatureSet } from '../../src/store/feature-set-reader.ts';
import { isImported } from '../../src/store/feature-spec.ts';
import { row, temporaryFolder } from '../support.ts';

const IDS = ['d/train/a', 'd/train/b', 'd/test/c'];
const utterances = IDS.map((id) => row(id, { split: id.split('/')[1] as string }));

function array(
  name: string,
  shape: number[],
  values: number[],
  more: Partial<ForeignArray> = {},
): ForeignArray {
  return { names: [name], place: `${name}.npy`, shape, values: Float32Array.from(values), ...more };
}

/** Arrays in memory. @param after each array that was given out. */
function source(
  arrays: readonly (ForeignArray | ForeignProblem)[],
  after?: (given: number) => void,
): ForeignSource {
  let given = 0;
  return {
    format: '.npy',
    count: arrays.length,
    async *arrays(wanted = () => true) {
      for (const one of arrays) {
        if ('problem' in one || wanted(one.names)) yield one;
        await Promise.resolve();
        after?.(++given);
      }
    },
  };
}

const GOOD = [array('a', [2, 2], [1, 2, 3, 4]), array('b', [1, 1, 2], [5, 6]), array('c', [2], [7, 8])];

function options(store: string, changes: Partial<ImportOptions> = {}): ImportOptions {
  return {
    dataset: 'd',
    feature: 'mine',
    kind: 'audio',
    source: source(GOOD),
    utterances,
    inputOf: ({ id }) => `input of ${id}`,
    store,
    layout: { transpose: false, layer: null, dim: null },
    dtype: 'float32',
    onOverflow: 'error',
    onInvalid: 'error',
    onUnknown: 'error',
    firstSeconds: null,
    stepSeconds: null,
    provenance: { tool: 'test' },
    ...changes,
  };
}

/** Lines of the error that an import ends with. */
async function problems(changes: Partial<ImportOptions>): Promise<readonly string[]> {
  const store = temporaryFolder();
  const error: unknown = await importFeatures(options(store, changes)).then(
    () => null,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(UserErrors);
  expect(readdirSync(store)).toEqual([]);
  return (error as UserErrors).problems;
}

describe('an import', () => {
  it('writes steps as they are, by split, and says what lacks', async () => {
    const store = temporaryFolder();
    const more = [...utterances, row('d/test/d', { split: 'test' })];
    const report = await importFeatures(options(store, { utterances: more, trainedOn: 'corpus X' }));
    expect(report).toMatchObject({
      rows: 3,
      written: 3,
      missing: ['d/test/d'],
      quarantined: [],
      skipped: [],
    });
    expect(isImported(report.spec)).toBe(true);
    const set = openFeatureSet({ stores: [store], dataset: 'd', feature: 'mine' });
    expect(IDS.map((id) => [set.split(id), set.length(id), [...set.read(id).values]])).toEqual([
      ['train', 2, [1, 2, 3, 4]],
      ['train', 1, [5, 6]],
      ['test', 1, [7, 8]],
    ]);
    expect(set.inputs().get('d/train/b')).toBe('input of d/train/b');
    expect(set.spec.provenance).toEqual({ tool: 'test', trainedOn: 'corpus X' });
    set.close();
    const noted = await importFeatures(options(store, { trainedOn: 'corpus Y' }));
    expect(noted).toMatchObject({ written: 0, folder: report.folder });
    expect(JSON.parse(readFileSync(`${report.folder}/feature.json`, 'utf8'))).toMatchObject({
      provenance: { trainedOn: 'corpus Y' },
    });
  });

  it('has a fingerprint of content, times and stored type, and of nothing else', async () => {
    const fingerprint = async (changes: Partial<ImportOptions>): Promise<string> =>
      (await importFeatures(options(temporaryFolder(), changes), true)).spec.fingerprint;
    const own = await fingerprint({});
    expect(await fingerprint({ source: source(GOOD.toReversed()), trainedOn: 'x', part: 'p' })).toBe(own);
    const others = await Promise.all([
      fingerprint({ dtype: 'float16' }),
      fingerprint({ kind: 'text' }),
      fingerprint({ firstSeconds: 0.01, stepSeconds: 0.02 }),
      fingerprint({ source: source([array('a', [1, 4], [1, 2, 3, 4])]) }),
      fingerprint({ source: source([array('a', [2, 2], [1, 2, 3, 5]), ...GOOD.slice(1)]) }),
    ]);
    expect(new Set([own, ...others]).size).toBe(6);
  });

  it('gives a text feature tokens where the file has them, and -1 where not', async () => {
    const store = temporaryFolder();
    const tokens = { tokenIds: Int32Array.of(9, 8), tokenSpans: Int32Array.of(0, 1, 1, 2) };
    const arrays = [array('a', [2, 2], [1, 2, 3, 4], tokens), ...GOOD.slice(1)];
    await importFeatures(options(store, { kind: 'text', source: source(arrays) }));
    const set = openFeatureSet({ stores: [store], dataset: 'd', feature: 'mine' });
    expect(set.read('d/train/a')).toMatchObject(tokens);
    expect(set.read('d/train/b')).toMatchObject({
      tokenIds: Int32Array.of(-1),
      tokenSpans: Int32Array.of(0, 0),
    });
    set.close();
  });

  it('lists all that is wrong, and writes nothing', async () => {
    const found = await problems({
      dtype: 'float16',
      source: source([
        array('a', [2, 2], [1, 2, Number.NaN, 4]),
        array('b', [1, 2], [1, 65520]),
        array('train/b', [1, 2], [1, 1]),
        array('e', [1, 2], [1, 1]),
        array('test/c', [0, 2], []),
        { place: 'x.npy', problem: 'it is cut off' },
      ]),
    });
    expect(found).toEqual([
      '4 arrays cannot be stored:',
      'a.npy: at step 1, dimension 0, it is NaN, expected a finite number',
      expect.stringMatching(
        /^b\.npy: at step 0, dimension 1, it is 65520, beyond float16's range .*--overflow/,
      ),
      'test/c.npy: its shape is [0, 2]: it holds no value',
      'x.npy: it is cut off',
      '1 arrays belong to no utterance (--unknown skip passes over them):',
      'e.npy: no utterance is called e',
      'nothing was imported',
    ]);
  });

  it('names arrays of another size of steps, and two that are one utterance', async () => {
    expect(
      await problems({ source: source([...GOOD.slice(0, 2), array('c', [2, 3], [1, 2, 3, 4, 5, 6])]) }),
    ).toEqual([
      'steps have 2 values in 2 arrays, and other numbers elsewhere: expected one',
      'c.npy: d/test/c: 3 values',
      'nothing was imported',
    ]);
    const more = [array('c', [2, 3], [1, 2, 3, 4, 5, 6]), array('e', [1, 2], [1, 2])];
    expect(await problems({ source: source([...GOOD.slice(0, 2), ...more]) })).toEqual([
      'steps have 2 values in 2 arrays, and other numbers elsewhere: expected one',
      'c.npy: d/test/c: 3 values',
      '1 arrays belong to no utterance (--unknown skip passes over them):',
      'e.npy: no utterance is called e',
      'nothing was imported',
    ]);
    const wide = [array('a', [2, 3], [1, 2, 3, 4, 5, 6]), array('b', [2, 1], [1, 2])];
    expect((await problems({ source: source(wide) }))[0]).toMatch(/say --transpose, and all have 2$/);
    const high = [array('a', [3, 2], [1, 2, 3, 4, 5, 6]), array('b', [1, 2], [1, 2])];
    const transpose = { layout: { transpose: true, layer: null, dim: null } };
    expect((await problems({ source: source(high), ...transpose }))[0]).toMatch(
      /; without --transpose all would have 2$/,
    );
    expect(await problems({ source: source([...GOOD, array('x/a', [1, 2], [1, 2])]) })).toContainEqual(
      'x/a.npy: it is d/train/a, and so is a.npy: choose one (of several arrays of a file with --column)',
    );
  });

  it('keeps values beyond float16 as float32, or quarantines what cannot be stored', async () => {
    const arrays = [
      array('a', [1, 2], [1, 1e6]),
      array('b', [1, 2], [1, Number.NaN]),
      GOOD[2] as ForeignArray,
    ];
    const store = temporaryFolder();
    const report = await importFeatures(
      options(store, {
        dtype: 'float16',
        onOverflow: 'float32',
        onInvalid: 'quarantine',
        source: source(arrays),
      }),
    );
    expect([report.rows, report.written]).toEqual([2, 2]);
    expect(report.quarantined).toEqual([
      { id: 'd/train/b', reason: 'b.npy: at step 0, dimension 1, it is NaN, expected a finite number' },
    ]);
    const set = openFeatureSet({ stores: [store], dataset: 'd', feature: 'mine' });
    expect([set.dtype, [...set.read('d/train/a').values]]).toEqual(['float32', [1, 1e6]]);
    expect([...set.quarantined().keys()]).toEqual(['d/train/b']);
    set.close();
  });

  it('goes on where it was stopped, and writes nothing twice', async () => {
    const store = temporaryFolder();
    const controller = new AbortController();
    // three arrays are looked at; the third of the second pass comes after the stop
    const stopping = source(GOOD, (given) => given === 5 && controller.abort());
    await expect(
      importFeatures(options(store, { source: stopping, signal: controller.signal })),
    ).rejects.toThrow(Interrupted);
    const set = openFeatureSet({ stores: [store], dataset: 'd', feature: 'mine' });
    expect(set.ids()).toEqual(['d/train/a', 'd/train/b']);
    set.close();
    expect(await importFeatures(options(store))).toMatchObject({ written: 1, rows: 3 });
    expect(await importFeatures(options(store))).toMatchObject({ written: 0, rows: 3 });
  });

  it('notices arrays that change between looking and writing', async () => {
    const changing = GOOD.map((one) => ({ ...one, values: one.values.slice() }));
    const store = temporaryFolder();
    const files = source(changing, (given) => given === 3 && ((changing[1] as ForeignArray).values[0] = 9));
    await expect(importFeatures(options(store, { source: files }))).rejects.toThrow(
      '1 arrays changed while they were imported',
    );
  });

  it('a changed input is written again with the next revision', async () => {
    const store = temporaryFolder();
    await importFeatures(options(store));
    const changed = options(store, {
      inputOf: ({ id }) => (id === 'd/train/a' ? 'another text' : `input of ${id}`),
    });
    expect(await importFeatures(changed)).toMatchObject({ written: 1 });
    expect(await importFeatures(changed)).toMatchObject({ written: 0 });
  });
});
