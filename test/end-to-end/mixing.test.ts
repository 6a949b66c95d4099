import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeWav, generateDemo, silent } from '@lsgmer/datasets';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ended, WorkFolder } from './command-line.ts';

/** Features of one computation, of today's recordings and texts, in a format that is known: or an error that says so. */
const place = new WorkFolder();
const BUILD = ['manifest', 'build', '--dataset', 'demo', '--root', place.path('corpus'), '--subset'];
const EXTRACT = ['features', 'extract', '--preset', 'tiny', '--device', 'cpu'];
const TRAIN = ['train', '--fold', '1', '--set', 'epochs=1', '--set', 'd=16', '--set', 'audio.alexnet=none'];

beforeAll(async () => {
  await generateDemo(place.path('corpus'), { utterances: 40, reporter: silent });
  done(await place.run(...BUILD));
  done(await place.run(...EXTRACT));
}, 120_000);
afterAll(() => place.remove());

function done(ended: Ended): string {
  expect(ended.code, ended.err).toBe(0);
  return ended.out;
}

const fingerprints = (feature: string): string[] => readdirSync(place.path('store', 'demo', feature)).sort();

describe('features are never mixed', () => {
  it('a changed recording is named, with what was and what is, and only they are computed again', async () => {
    const corpus = readdirSync(place.path('corpus'), { recursive: true }).map(String);
    const clip = corpus.find((file) => file.endsWith('.wav')) as string;
    const id = `demo/${(clip.split('/').at(-1) as string).replace('.wav', '')}`;
    writeFileSync(place.path('corpus', clip), encodeWav(new Float32Array(24000).fill(0.1), 16000));
    done(await place.run(...BUILD));
    const status = done(await place.run('features', 'status', '--json'));
    const stale = Object.fromEntries(
      (JSON.parse(status) as { feature: string; stale: number }[]).map((one) => [one.feature, one.stale]),
    );
    expect(stale).toEqual({ 'random-tiny-alexnet': 1, 'random-tiny-roberta': 0, 'random-tiny-wavlm': 1 });
    const fold = id.slice('demo/'.length, 'demo/'.length + 5);
    const refused = await place.run(...TRAIN.map((word) => (word === '1' ? fold : word)));
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(
      new RegExp(
        `${id}.*its recording changed since it was extracted \\([0-9a-f]{12} -> [0-9a-f]{12}\\): run features extract`,
      ),
    );
    const again = JSON.parse(done(await place.run(...EXTRACT, '--json'))) as {
      sets: { feature: string; computed: number }[];
    };
    expect(Object.fromEntries(again.sets.map((one) => [one.feature, one.computed]))).toEqual(stale);
  });

  it('two computations are listed with the keys on which they differ, and how to choose', async () => {
    done(await place.run(...EXTRACT, '--dtype', 'float32'));
    const [a = '', b = ''] = fingerprints('random-tiny-wavlm');
    const refused = await place.run(...TRAIN);
    expect(refused.code).toBe(2);
    // all three features at once
    expect(refused.err.match(/2 of them complete/g)).toHaveLength(3);
    const [text = ''] = fingerprints('random-tiny-roberta');
    const [map = ''] = fingerprints('random-tiny-alexnet');
    const features = `text=random-tiny-roberta@${text},audio=random-tiny-wavlm@${b.slice(0, 12)},alexnet=random-tiny-alexnet@${map}`;
    done(await place.run(...TRAIN, '--features', features));
    expect(a).not.toBe(b);
  });

  it('a newer format is refused by its version, and repair leaves it alone', async () => {
    const [fingerprint = ''] = fingerprints('random-tiny-alexnet');
    const path = place.path('store', 'demo', 'random-tiny-alexnet', fingerprint, 'feature.json');
    const newer = readFileSync(path, 'utf8').replace('"format": 1', '"format": 2');
    writeFileSync(path, newer);
    const said = /feature\.json was written in format 2, and this lsgmer reads up to format 1: update lsgmer/;
    const inspect = await place.run('features', 'inspect', '--feature', 'random-tiny-alexnet');
    expect([inspect.code, inspect.err]).toEqual([2, expect.stringMatching(said)]);
    const repair = await place.run('features', 'repair', '--feature', 'random-tiny-alexnet');
    expect(repair.err + repair.out).toMatch(said);
    expect(readFileSync(path, 'utf8')).toBe(newer);
    expect(readdirSync(join(path, '..', 'shards'))).toHaveLength(2);
  });
});
