import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { MAIN, WorkFolder } from './command-line.ts';

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

  it('a dataset whose name is nearly right', async () => {
    for (const dataset of ['demo', 'other']) mkdirSync(place.path('near', dataset), { recursive: true });
    for (const command of ['status', 'verify', 'gc --dry-run'])
      expect(await refused('features', ...command.split(' '), '--store', 'near', '--dataset', 'dem')).toMatch(
        /no dataset dem in .*near: did you mean demo\?/,
      );
    expect(await refused('features', 'verify', '--store', 'near', '--dataset', 'meld')).toMatch(
      /no dataset meld in .*near: it has demo, other/,
    );
  });

  it('a stop while the program loads', async () => {
    // the first to listen is main itself, before anything else is loaded
    const hook = `process.on('newListener', (name) => name === 'SIGINT' && setImmediate(() => process.kill(process.pid, 'SIGINT')));`;
    const { code, err } = await new Promise<{ code: number | null; err: string }>((ended) => {
      const preload = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`];
      const child = spawn(process.execPath, [...preload, MAIN, 'features', 'verify'], { cwd: place.folder });
      let said = '';
      child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
      child.on('close', (status) => ended({ code: status, err: said }));
    });
    expect([code, err]).toEqual([130, 'lsgmer: stopped: run the same command again\n']);
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

  it('runs of which every one is damaged', async () => {
    const folder = place.path('damaged', 'demo', '4class', '0123456789ab');
    mkdirSync(folder, { recursive: true });
    const list = ['runs', 'list', '--runs', 'damaged'];
    expect(await refused(...list)).toMatch(/0123456789ab.config\.json: is missing/);
    expect(await refused('eval', '0123', '--runs', 'damaged')).toMatch(
      /0123456789ab.config\.json: is missing/,
    );
    writeFileSync(`${folder}/config.json`, '{');
    expect(await refused(...list)).toMatch(/config\.json: not JSON/);
    expect(await refused('eval', '99', '--runs', 'damaged')).toMatch(/no runs in/);
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
