import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { WorkFolder } from './command-line.ts';

const place = new WorkFolder();
afterAll(() => place.remove());

/** One line for the user, on stderr, exit code 2, no stack. */
async function refused(...args: string[]): Promise<string> {
  const { code, err, out } = await place.run(...args);
  const lines = err.trim().split('\n');
  expect({ code, lines: lines.length, out }, err).toEqual({ code: 2, lines: 1, out: '' });
  expect(err).toMatch(/^lsgmer: /);
  expect(err).not.toMatch(/\n\s+at /);
  return err;
}

describe('what a user gets wrong costs one line', () => {
  it('a dataset that is not there', async () => {
    expect(await refused('train', '--dataset', 'iemocpa')).toMatch(
      /no manifest of dataset 'iemocpa'.*make manifest DATASET=iemocpa/,
    );
    expect(await refused('features', 'extract', '--dataset', 'iemocpa', '--preset', 'tiny')).toMatch(
      /no manifest of dataset 'iemocpa'/,
    );
  });

  it('no dataset named, and none to choose', async () => {
    expect(await refused('train')).toMatch(/no dataset in .*store.*--dataset.*iemocap/);
  });

  it('a root that is not there, or not given', async () => {
    expect(
      await refused('manifest', 'build', '--dataset', 'iemocap', '--root', place.path('nowhere')),
    ).toMatch(/cannot read ROOT of iemocap: .*nowhere/);
    expect(await refused('manifest', 'build', '--dataset', 'iemocap')).toMatch(/where is iemocap\?.*--root/);
  });

  it('a root of another layout', async () => {
    mkdirSync(place.path('empty'));
    expect(await refused('manifest', 'build', '--dataset', 'iemocap', '--root', place.path('empty'))).toMatch(
      /Session/,
    );
  });

  it('an unknown command and an unknown flag', async () => {
    expect(await refused('trian', '--fold', '1')).toMatch(/train/);
    expect(await refused('train', '--flod', '1')).toMatch(/flod/);
    expect(await refused('features', 'inspect', '--worst', 'abc')).toMatch(/--worst: a whole number/);
    expect(await refused('manifest')).toMatch(/build, validate, stats, folds or diff/);
  });

  it('an empty table, a table without the columns, an unreadable one', async () => {
    mkdirSync(place.path('corpus'));
    writeFileSync(place.path('corpus/data.csv'), '');
    expect(await refused('manifest', 'build', '--dataset', 'mine', '--root', place.path('corpus'))).toMatch(
      /data\.csv.*empty|no row/,
    );
    // all that is missing at once, a line each
    writeFileSync(place.path('corpus/data.csv'), 'a,b\n1,2\n');
    const bare = await place.run('manifest', 'build', '--dataset', 'mine', '--root', place.path('corpus'));
    expect([bare.code, bare.out]).toEqual([2, '']);
    expect(bare.err.trim().split('\n')).toEqual([
      expect.stringMatching(/no column for the file.*data\.csv.*--columns file=NAME/),
      expect.stringMatching(/no column for the label/),
      expect.stringMatching(/no column for the speaker, session or split/),
    ]);
    writeFileSync(place.path('corpus/data.csv'), 'file,label\nx.wav,happy\n');
    chmodSync(place.path('corpus/data.csv'), 0);
    if (process.getuid?.() === 0) console.log('skipped: root reads files without rights');
    else
      expect(await refused('manifest', 'build', '--dataset', 'mine', '--root', place.path('corpus'))).toMatch(
        /data\.csv/,
      );
  });

  it('a broken local file', async () => {
    const other = new WorkFolder();
    try {
      writeFileSync(other.path('.lsgmer.json'), '{"roots": 3}');
      const { code, err } = await other.run('doctor');
      expect(code).toBe(2);
      expect(err).toMatch(/\.lsgmer\.json: roots: /);
    } finally {
      other.remove();
    }
  });
});
