import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateDemo, silent } from '@lsgmer/datasets';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { done, type Ended, WorkFolder } from './command-line.ts';

/** Features leave the store, come back under other names, and train as before. */
const place = new WorkFolder();

beforeAll(async () => {
  await generateDemo(place.path('corpus'), { utterances: 40, reporter: silent });
  done(await place.run('manifest', 'build', '--dataset', 'demo', '--root', place.path('corpus'), '--subset'));
  done(await place.run('features', 'extract', '--preset', 'tiny', '--device', 'cpu'));
}, 120_000);
afterAll(() => place.remove());

const exported = (feature: string, to: string, out: string, ...more: string[]): Promise<Ended> =>
  place.run('features', 'export', '--feature', feature, '--to', to, '--out', out, ...more);
const imported = (path: string, name: string, kind: string, ...more: string[]): Promise<Ended> =>
  place.run('features', 'import', path, '--name', name, '--kind', kind, ...more);

/** Trains one fold for one epoch; gives the predictions. */
async function predictions(features: string, ...more: string[]): Promise<string> {
  const before = new Set(runFolders());
  const settings = ['epochs=1', 'd=16'].flatMap((set) => ['--set', set]);
  done(
    await place.run('train', '--fold', '1', '--features', features, '--threads', '1', ...settings, ...more),
  );
  const [run] = runFolders().filter((folder) => !before.has(folder));
  return readFileSync(join(run as string, 'predictions.csv'), 'utf8');
}

function runFolders(): string[] {
  const runs = place.path('runs', 'demo', '4class');
  return existsSync(runs) ? readdirSync(runs).map((run) => join(runs, run)) : [];
}

describe('features export and import', () => {
  it('give the same predictions as the features that were exported', async () => {
    const text = 'random-tiny-roberta';
    const audio = 'random-tiny-wavlm';
    done(await exported(text, 'npy', 'text'));
    done(await exported(audio, 'npy', 'audio'));
    expect(existsSync(place.path('audio', 'lsgmer-export.json'))).toBe(true);
    done(await imported('text', 'my-text', 'text', '--trained-on', 'nothing'));
    const times = ['--frame-seconds', '0.02', '--first-seconds', '0.0125'];
    expect(done(await imported('audio', 'my-audio', 'audio', ...times))).toMatch(
      /50 utterances with audio features/,
    );
    const own = await predictions(`text=${text},audio=${audio}`);
    expect(own.split('\n').length).toBeGreaterThan(5);
    expect(await predictions('text=my-text,audio=my-audio')).toBe(own);

    const status = done(await place.run('features', 'status'));
    expect(status).toMatch(/my-text +[0-9a-f]{12} +float16 +64 +50 of 50 +0 +0/);
    expect(status).toMatch(/my-text: its encoder was trained on nothing/);
  });

  it('feed the input of their kind only, and are told apart by name', async () => {
    done(await imported('text', 'same-text', 'text'));
    expect(done(await place.run('features', 'status'))).not.toMatch(/same-text: \d+ index parts/);
    const mixed = await place.run('train', '--features', 'text=my-audio,audio=my-text', '--fold', '1');
    expect([mixed.code, mixed.err]).toEqual([
      2,
      expect.stringMatching(
        /my-audio holds audio, and text takes text[^]*my-text holds text, and audio takes audio/,
      ),
    ]);
  });

  it('a file of another format with the same numbers is the same set', async () => {
    done(await exported('random-tiny-wavlm', 'parquet', 'audio-parquet'));
    const times = ['--frame-seconds', '0.02', '--first-seconds', '0.0125'];
    const again = done(await imported('audio-parquet', 'my-audio', 'audio', ...times));
    expect(again).toMatch(/0 written, 50 there before/);
    expect(readdirSync(place.path('store', 'demo', 'my-audio'))).toHaveLength(1);
  });

  it('means are one vector an utterance, and train as audio', async () => {
    done(await exported('random-tiny-wavlm', 'npy', 'means', '--pool', 'mean'));
    done(await imported('means', 'my-means', 'audio'));
    const refused = await place.run(
      'train',
      '--fold',
      '1',
      '--set',
      'epochs=1',
      '--features',
      'text=my-text,audio=my-means',
    );
    expect([refused.code, refused.err]).toEqual([
      2,
      expect.stringMatching(/my-means has no times.*audio\.alexnet=none.*--frame-seconds and --replace/),
    ]);
    const alone = await predictions('text=my-text,audio=my-means', '--set', 'audio.alexnet=none');
    expect(alone.split('\n').length).toBeGreaterThan(5);
  });

  it('keep one set a name: what would make a second one is refused, or replaces the first', async () => {
    for (const [name, kind, said] of [
      [
        'random-tiny-wavlm',
        'audio',
        /^lsgmer: demo\/random-tiny-wavlm holds audio features that were extracted/,
      ],
      ['my-means', 'text', /^lsgmer: demo\/my-means holds audio features that were imported.*--replace/],
    ] as const) {
      const refused = await imported('means', name, kind);
      expect([refused.code, refused.err.split('\n').filter((line) => line.startsWith('lsgmer:'))]).toEqual([
        2,
        [expect.stringMatching(said)],
      ]);
    }
    done(await exported('random-tiny-wavlm', 'npy', 'frames'));
    done(await imported('frames', 'my-frames', 'audio'));
    const times = ['--frame-seconds', '0.02', '--first-seconds', '0.0125'];
    const second = await imported('frames', 'my-frames', 'audio', ...times);
    expect([second.code, second.err]).toEqual([
      2,
      expect.stringContaining('other in firstSeconds, stepSeconds'),
    ]);
    expect(done(await imported('frames', 'my-frames', 'audio', ...times, '--replace'))).toMatch(
      /50 written, 0 there before\n {2}my-frames@[0-9a-f]{12} moved to the trash, for 14 days\n/,
    );
    done(await place.run('train', '--fold', '1', '--dry-run', '--features', 'text=my-text,audio=my-frames'));
    const status = done(await place.run('features', 'status', '--feature', 'my-frames'));
    expect(status.split('\n').filter((line) => line.includes('float16'))).toEqual([
      expect.stringMatching(/^my-frames /),
    ]);
    const gc = done(await place.run('features', 'gc', '--feature', 'my-frames', '--dry-run'));
    expect(gc).toMatch(/^stays {4}my-frames@[^\n]*\n[^\n]*nothing to clean up\n$/);
    const unknown = await place.run('features', 'gc', '--feature', 'none', '--dry-run');
    expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining('demo has no feature none')]);
  });

  it('verify, inspect and compact take an imported set as any other; repair says to import again', async () => {
    expect(done(await place.run('features', 'verify', '--feature', 'my-audio'))).toMatch(/every byte is as/);
    expect(done(await place.run('features', 'inspect', '--feature', 'my-means'))).toMatch(
      /50 utterances, 50 steps/,
    );
    expect(done(await place.run('features', 'compact', '--feature', 'my-audio'))).toMatch(/became main/);
    const set = place.path('store', 'demo', 'my-audio');
    const shards = join(set, readdirSync(set)[0] as string, 'shards');
    const shard = join(shards, readdirSync(shards)[0] as string);
    const bytes = readFileSync(shard);
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] as number) ^ 1;
    writeFileSync(shard, bytes);
    const repair = await place.run('features', 'repair', '--feature', 'my-audio');
    expect([repair.code, repair.out]).toEqual([
      3,
      expect.stringContaining('run the same features import again'),
    ]);
    const times = ['--frame-seconds', '0.02', '--first-seconds', '0.0125'];
    expect(done(await imported('audio', 'my-audio', 'audio', ...times))).toMatch(
      /1 written, 49 there before/,
    );
    expect(done(await place.run('features', 'verify', '--feature', 'my-audio'))).toMatch(/every byte is as/);
  });

  it('what cannot be imported is listed at once, and nothing is written', async () => {
    writeFileSync(place.path('audio', 'stranger.npy'), readFileSync(place.path('means', firstNpy('means'))));
    writeFileSync(place.path('audio', 'broken.npy'), 'no array');
    const refused = await imported('audio', 'other', 'audio');
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(/broken\.npy: it is no \.npy file/);
    expect(refused.err).toMatch(/stranger\.npy: no utterance is called stranger/);
    expect(refused.err).toMatch(/nothing was imported/);
    expect(existsSync(place.path('store', 'demo', 'other'))).toBe(false);
    const kept = await exported('my-means', 'npy', 'means');
    expect([kept.code, kept.err]).toEqual([2, expect.stringContaining('--force')]);
    const foreign = await exported('my-means', 'npy', 'corpus', '--force');
    expect([foreign.code, foreign.err]).toEqual([2, expect.stringContaining('is no export')]);
    done(await exported('my-means', 'parquet', 'means', '--force'));
    expect(readdirSync(place.path('means')).sort()).toEqual(['all.parquet', 'lsgmer-export.json']);
  });
});

function firstNpy(folder: string): string {
  const found = readdirSync(place.path(folder), { recursive: true }).find((file) =>
    String(file).endsWith('.npy'),
  );
  return String(found);
}
