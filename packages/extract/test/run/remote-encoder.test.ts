import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError, openFeatureSet, silent } from '@lsgmer/datasets';
import { DEFAULT_FEATURE_OPTIONS, type ModelReference } from '../../src/models/feature-options.ts';
import type { EncoderModel } from '../../src/models/model-folder.ts';
import { TINY_NAMES, makeTinyModel } from '../../src/models/tiny.ts';
import { LocalEncoder } from '../../src/run/encoder.ts';
import { extractFeatures } from '../../src/run/extract.ts';
import { RemoteEncoder } from '../../src/run/remote-encoder.ts';
import { COMPARING } from '../../src/run/changed-media.ts';
import { makeCorpus } from './corpus.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-encoder-'));
/** What the build makes, as on a user's machine. */
const compiled = (file: string): string =>
  fileURLToPath(new URL(`../../dist/run/${file}.js`, import.meta.url));
const entry = compiled('encoder-process');
const sinkEntry = compiled('sink-thread');
let models: EncoderModel[];

beforeAll(() => {
  models = TINY_NAMES.map((name) => makeTinyModel(name, join(folder, 'models'), ['one two', 'two three']));
});
afterAll(() => rmSync(folder, { recursive: true }));

const settings = { device: 'cpu', threads: 1 } as const;
const references = (): ModelReference[] => models.map(({ folder: at, options }) => ({ folder: at, options }));

describe('RemoteEncoder', () => {
  it('gives the same bits as the encoder in this process', async () => {
    const [remote, local] = await Promise.all([
      RemoteEncoder.start(references(), settings, entry),
      LocalEncoder.start(references(), settings),
    ]);
    const samples = Float32Array.from({ length: 6000 }, (_, i) => Math.sin(i * i * 1e-3));
    expect(await remote.encode(0, [Int32Array.of(0, 5, 2)], [0])).toEqual(
      await local.encode(0, [Int32Array.of(0, 5, 2)], [0]),
    );
    // A view into a larger buffer travels as what it shows.
    const view = samples.subarray(100, 5300);
    expect(await remote.encode(1, [view, view], [0])).toEqual(await local.encode(1, [view, view], [0]));
    expect(await remote.encode(2, [samples], [0])).toEqual(await local.encode(2, [samples], [0]));
    expect(remote.devices).toEqual(['cpu', 'cpu', 'cpu']);
    await remote.close();
    await local.close();
  });

  it('answers in order, reports a batch that fails, and goes on', async () => {
    const remote = await RemoteEncoder.start(references().slice(0, 1), settings, entry);
    const [first, bad, last] = await Promise.allSettled([
      remote.encode(0, [Int32Array.of(0, 2)], [0]),
      remote.encode(0, [Int32Array.of(0, 1_000_000, 2)], [0]),
      remote.encode(0, [Int32Array.of(0, 4, 2)], [0]),
    ]);
    expect(first).toMatchObject({ status: 'fulfilled', value: [[{ n: 2 }]] });
    expect(bad).toMatchObject({ status: 'rejected', reason: { name: 'EncodeError' } });
    expect(last).toMatchObject({ status: 'fulfilled', value: [[{ n: 3 }]] });
    await remote.close();
    await expect(remote.encode(0, [Int32Array.of(0, 2)], [0])).rejects.toThrow('the encoder was closed');
  });

  it('says in one line what is wrong with a model or a device', async () => {
    const refused = RemoteEncoder.start(
      [{ folder: join(folder, 'nothing'), options: DEFAULT_FEATURE_OPTIONS }],
      settings,
      entry,
    );
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(/is .* a model folder\?/);
  });

  it('rejects what is waiting when its process is killed', async () => {
    const remote = await RemoteEncoder.start(references().slice(1, 2), settings, entry);
    const long = new Float32Array(16_000 * 30).fill(0.1);
    const waiting = remote.encode(0, [long], [0]);
    process.kill(remote.pid as number, 'SIGKILL');
    await expect(waiting).rejects.toThrow(/the encoder process was ended by SIGKILL .*out of memory/);
    await expect(waiting).rejects.toThrow(UserError);
  });

  it('extracts a corpus', async () => {
    const root = join(folder, 'corpus');
    const utterances = makeCorpus(root, [5200, 5300, 9000]);
    const common = { dataset: 'toy', root, utterances, models, ...settings };
    const apart = join(folder, 'apart');
    const inside = join(folder, 'inside');
    const lanes = join(folder, 'lanes');
    const sets = await extractFeatures({ ...common, store: apart, encoders: { entry, sinkEntry } });
    await extractFeatures({ ...common, store: inside, encoders: 'inside' });
    // Two encoders share the two threads.
    await extractFeatures({ ...common, threads: 2, store: lanes, encoders: { entry, sinkEntry } });
    expect(sets.map(({ computed }) => computed)).toEqual([3, 3, 3]);
    for (const { feature } of sets) {
      const [a, b, c] = [apart, inside, lanes].map((store) =>
        openFeatureSet({ stores: [store], dataset: 'toy', feature }),
      );
      for (const { id } of utterances) {
        expect(a?.rowHash(id)).toBe(b?.rowHash(id));
        expect(c?.rowHash(id)).toBe(b?.rowHash(id));
      }
    }
  });

  it('lets a run stop while the encoder is at work on the next batch', async () => {
    const root = join(folder, 'long');
    const utterances = makeCorpus(root, [4000, 16_000 * 30, 16_000 * 29, 16_000 * 28]);
    const controller = new AbortController();
    const run = extractFeatures({
      dataset: 'toy',
      root,
      utterances,
      models: models.slice(1, 2),
      store: join(folder, 'stopped'),
      ...settings,
      encoders: { entry, sinkEntry },
      signal: controller.signal,
      reporter: { ...silent, progress: ({ task }) => (task === COMPARING ? undefined : controller.abort()) },
    });
    await expect(run).rejects.toMatchObject({
      name: 'Interrupted',
      message: 'stopped after 1 of 4 rows, which are kept: the same command goes on',
    });
    const kept = openFeatureSet({
      stores: [join(folder, 'stopped')],
      dataset: 'toy',
      feature: 'random-tiny-wavlm',
    });
    expect(kept.ids()).toEqual(['toy/u000']);
  });
});
