import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { encodeWav, generateDemo, openFeatureSet, silent } from '@lsgmer/datasets';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { done, WorkFolder } from './command-line.ts';

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

const fingerprints = (feature: string): string[] => readdirSync(place.path('store', 'demo', feature)).sort();

describe('features are never mixed', () => {
  it('a changed recording is named, with what was and what is, and only they are computed again', async () => {
    const corpus = readdirSync(place.path('corpus'), { recursive: true }).map(String);
    const clip = corpus.find((file) => file.endsWith('.wav')) as string;
    const id = `demo/${(clip.split('/').at(-1) as string).replace('.wav', '')}`;
    writeFileSync(place.path('corpus', clip), encodeWav(new Float32Array(24000).fill(0.1), 16000));
    // the manifest describes the former recording still: nothing is computed under its name
    const early = await place.run(...EXTRACT);
    expect(early.code).toBe(2);
    expect(early.err).toMatch(
      new RegExp(
        `${clip} \\(${id}\\) has changed since the manifest was built: .*\n.*manifest build --dataset`,
      ),
    );
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

  it('rows that are lost are not computed from another copy of the corpus', async () => {
    const copy = place.path('copy');
    cpSync(place.path('corpus'), copy, { recursive: true });
    const wav = readdirSync(copy, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.wav'),
    );
    for (const file of wav) {
      const bytes = readFileSync(join(copy, file));
      bytes.fill(0, bytes.length - 400);
      writeFileSync(join(copy, file), bytes);
    }
    const folder = place.path(
      'store',
      'demo',
      'random-tiny-wavlm',
      fingerprints('random-tiny-wavlm')[0] ?? '',
    );
    rmSync(join(folder, 'shards'), { recursive: true });
    const refused = await place.run('features', 'repair', '--feature', 'random-tiny-wavlm', '--root', copy);
    expect(refused.code).toBe(3);
    expect(`${refused.out}${refused.err}`).toMatch(/has changed since the manifest was built/);
    expect(
      openFeatureSet({ stores: [place.path('store')], dataset: 'demo', feature: 'random-tiny-wavlm' }).ids(),
    ).toEqual([]);
    done(await place.run(...EXTRACT, '--root', place.path('corpus')));
    done(await place.run('features', 'verify'));
  });

  it('two computations are listed with the keys on which they differ, and how to choose', async () => {
    done(await place.run(...EXTRACT, '--store-dtype', 'float32'));
    const [a = '', b = ''] = fingerprints('random-tiny-wavlm');
    const refused = await place.run('train', '--fold', '1');
    expect(refused.code).toBe(2);
    // all three features at once
    expect(refused.err.match(/2 of them complete/g)).toHaveLength(3);
    // audio.alexnet=none: the spectrogram's is not used, and not opened
    expect((await place.run(...TRAIN)).err.match(/2 of them complete/g)).toHaveLength(2);
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

  it('values beyond float16 set their row aside, or make it float32, as one chooses', async () => {
    cpSync(resolve('test/golden/checkpoints/wavlm-layer'), place.path('loud'), { recursive: true });
    amplify(place.path('loud', 'model.safetensors'), 'encoder.layer_norm.weight', 1e6);
    const extract = ['features', 'extract', '--device', 'cpu', '--model', 'loud=loud'];
    const aside = await place.run(...extract);
    expect([aside.code, aside.out]).toEqual([
      3,
      expect.stringMatching(/beyond float16's range .*--overflow float32/),
    ]);
    const open = () => openFeatureSet({ stores: [place.path('store')], dataset: 'demo', feature: 'loud' });
    const before = open();
    const { size } = before.quarantined();
    expect([size > 30, before.dtype]).toEqual([true, 'float16']);
    before.close();
    done(await place.run(...extract, '--overflow', 'float32', '--retry'));
    const set = open();
    expect([set.dtype, set.spec.dtype, set.quarantined().size]).toEqual(['float32', 'float16', 0]);
    const largest = Math.max(
      ...set
        .ids()
        .flatMap((id) => [...set.read(id).values])
        .map(Math.abs),
    );
    expect(largest).toBeGreaterThan(65504);
    expect(largest).toBeLessThan(Infinity);
    set.close();
  });
});

/** Multiplies a float32 tensor of a safetensors file. */
function amplify(path: string, name: string, factor: number): void {
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as {
    [tensor: string]: { dtype: string; data_offsets: [number, number] };
  };
  const tensor = header[name];
  expect(tensor?.dtype).toBe('F32');
  const [start, end] = tensor?.data_offsets ?? [0, 0];
  for (let at = 8 + length + start; at < 8 + length + end; at += 4)
    bytes.writeFloatLE(factor * bytes.readFloatLE(at), at);
  writeFileSync(path, bytes);
}
