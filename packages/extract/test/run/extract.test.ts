import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  type FeatureSet,
  Interrupted,
  type Progress,
  UserError,
  type Utterance,
  openFeatureSet,
  silent,
} from '@lsgmer/datasets';
import { createSession } from '@lsgmer/onnx';
import { readWav } from '../../src/decode/wav.ts';
import { DEFAULT_DECODE_POLICY } from '../../src/decode/policy.ts';
import { DEFAULT_FEATURE_OPTIONS, type FeatureOptions } from '../../src/models/feature-options.ts';
import type { EncoderModel } from '../../src/models/model-folder.ts';
import { TINY_NAMES, makeTinyModel } from '../../src/models/tiny.ts';
import { extractFeatures, planFeatures } from '../../src/run/extract.ts';
import type { ExtractOptions } from '../../src/run/extract-options.ts';
import { wavBytes } from '../decode/wav-bytes.ts';
import { largestError, sharedData } from '../support.ts';
import { makeCorpus, recorded, sound, utterance } from './corpus.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-extract-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

/** Lengths that share frame counts (5,200 to 5,519 samples are 16 frames), odd ones, and one under a frame. */
const LENGTHS = [5200, 5300, 5519, 5520, 16_000, 399, 7, 12_345, 5200, 8000];

let root: string;
let texts: string[];
let utterances: Utterance[];
let models: EncoderModel[];
let stores = 0;

beforeAll(() => {
  root = join(folder, 'corpus');
  utterances = makeCorpus(root, LENGTHS);
  texts = utterances.map(({ text }) => text);
  models = TINY_NAMES.map((name) => makeTinyModel(name, join(folder, 'models'), texts));
});

/** Options on a store of their own. */
function options(changes: Partial<ExtractOptions> = {}): ExtractOptions {
  const store = join(folder, `store${stores++}`);
  return {
    dataset: 'toy',
    root,
    utterances,
    models,
    store,
    device: 'cpu',
    threads: 1,
    encoders: 'inside',
    ...changes,
  };
}

const open = (store: string, feature: string): FeatureSet =>
  openFeatureSet({ stores: [store], dataset: 'toy', feature });

describe('extractFeatures', () => {
  it('computes every utterance of every set, as each would be alone', async () => {
    const run = options({ dtype: 'float32' });
    const sets = await extractFeatures(run);
    expect(
      sets.map(({ feature, computed, done, quarantined }) => [feature, computed, done, quarantined.length]),
    ).toEqual([
      ['random-tiny-roberta', 10, 0, 0],
      ['random-tiny-wavlm', 10, 0, 0],
      ['random-tiny-alexnet', 10, 0, 0],
    ]);
    for (const [m, model] of models.entries()) {
      const session = await createSession(model.graphPath, { device: 'cpu', threads: 1 });
      const set = open(run.store, sets[m]?.feature as string);
      for (const { id, text, media } of utterances) {
        const samples = await readWav(
          { path: join(root, media?.path as string) },
          { ...DEFAULT_DECODE_POLICY, sampleRate: 16_000 },
        );
        const input =
          model.tokenizer === undefined ? (samples as Float32Array) : model.tokenizer.encode(text).ids;
        const outputs = await session.run(model.form.feeds([input]));
        const alone = outputs[model.features[0]?.output ?? '']?.data as Float32Array;
        const row = set.read(id);
        expect(row.n * model.form.dim).toBe(alone.length);
        expect(largestError(row.values, alone)).toBeLessThan(1e-6);
      }
      await session.release();
    }
  });

  it('makes one set a layer from one pass, and pools and thins out on demand', async () => {
    const made = (name: (typeof TINY_NAMES)[number], change: Partial<FeatureOptions>): EncoderModel =>
      makeTinyModel(name, join(folder, 'models'), texts, { ...DEFAULT_FEATURE_OPTIONS, ...change });
    const store = options({}).store;
    const wide = (model: EncoderModel) =>
      extractFeatures(options({ dtype: 'float32', store, models: [model] }));
    await wide(models[1] as EncoderModel);
    const sets = await wide(made('random-tiny-wavlm', { layers: [0, 2, 1] }));
    const names = ['random-tiny-wavlm.l0', 'random-tiny-wavlm.l2', 'random-tiny-wavlm.l1'];
    expect(sets.map(({ feature }) => feature)).toEqual(names);
    await wide(made('random-tiny-wavlm', { layers: [1, 2], stride: 2 }));
    await wide(made('random-tiny-wavlm', { finalNorm: false, pool: 'mean' }));
    await wide(made('random-tiny-roberta', { specialTokens: 'dropped', pool: 'mean' }));
    await wide(made('random-tiny-roberta', {}));

    const [id] = utterances.map((one) => one.id) as [string];
    const [l0, l2, l1, last] = [...names, 'random-tiny-wavlm'].map((name) => open(store, name).read(id));
    expect(l2?.values).toEqual(last?.values);
    expect(largestError(l1?.values ?? [], l2?.values ?? [])).toBeGreaterThan(0.1);
    expect(largestError(l0?.values ?? [], l1?.values ?? [])).toBeGreaterThan(0.1);
    const halved = open(store, 'random-tiny-wavlm.l1.s2').read(id);
    expect(halved.n).toBe(Math.ceil((l1?.n ?? 0) / 2));
    const [a, b] = [l1?.values[3] ?? NaN, l1?.values[3 + 96] ?? NaN];
    expect(halved.values[3]).toBeCloseTo((a + b) / 2, 5);
    expect(open(store, 'random-tiny-wavlm.raw.mean').read(id).n).toBe(1);
    const [word, whole] = ['.words.mean', ''].map((end) => open(store, `random-tiny-roberta${end}`).read(id));
    let mean = 0;
    for (let i = 1; i + 1 < (whole?.n ?? 0); i++)
      mean += (whole?.values[64 * i] ?? NaN) / ((whole?.n ?? 0) - 2);
    expect(word?.values[0]).toBeCloseTo(mean, 5);
    expect([...(word?.tokenIds ?? [])]).toEqual([-1]);
    // An empty text has no word: its row is set aside, not the run.
    expect([...open(store, 'random-tiny-roberta.words.mean').quarantined().values()]).toEqual(
      Array.from(
        texts.filter((text) => text === ''),
        () => 'nothing is left of it without its special tokens',
      ),
    );
  });

  it('refuses layers that a model does not have', () => {
    const made = (name: (typeof TINY_NAMES)[number], change: Partial<FeatureOptions>) => () =>
      makeTinyModel(name, join(folder, 'models'), texts, { ...DEFAULT_FEATURE_OPTIONS, ...change });
    expect(made('random-tiny-wavlm', { layers: [3] })).toThrow('layer 3 is not there: it has layers 0 to 2');
    expect(made('random-tiny-wavlm', { layers: [1, 1] })).toThrow('layer 1 is asked for twice');
    expect(made('random-tiny-alexnet', { layers: [1] })).toThrow('layers are chosen of transformer encoders');
    expect(made('random-tiny-roberta', { finalNorm: true })).toThrow('it has no closing layer norm');
    expect(made('random-tiny-roberta', { stride: 2 })).toThrow('a stride averages frames');
    expect(made('random-tiny-wavlm', { specialTokens: 'dropped' })).toThrow('only a text encoder');
  });

  it('computes segments and single channels as if each were a recording of its own', async () => {
    const [left, right] = [new Int16Array(32_000), new Int16Array(32_000)];
    [left, right].forEach((side, i) =>
      side.set(new Int16Array(new Uint8Array(sound(`side${i}`, 32_000)).buffer)),
    );
    const stereo = Int16Array.from({ length: 64_000 }, (_, i) => (i % 2 ? right : left)[i >> 1] ?? 0);
    const pcm = (samples: Int16Array) => new Uint8Array(samples.slice().buffer);
    writeFileSync(join(root, 'wav', 'stereo.wav'), wavBytes(pcm(stereo), { bits: 16, channels: 2 }));
    writeFileSync(join(root, 'wav', 'slice.wav'), wavBytes(pcm(right.subarray(4000, 12_000)), { bits: 16 }));
    const media = { sha256: null, seconds: null, sampleRate: null, channels: null };
    const rows = [
      utterance('toy/part', {
        media: { ...media, path: 'wav/stereo.wav', start: 0.25, end: 0.75, channel: 1 },
      }),
      utterance('toy/rest', { media: { ...media, path: 'wav/stereo.wav', start: 1.9 } }),
      utterance('toy/slice', { media: { ...media, path: 'wav/slice.wav' } }),
      utterance('toy/gone', { media: { ...media, path: 'wav/stereo.wav', start: 2.5, end: 3 } }),
    ];
    const run = options({ dtype: 'float32', utterances: rows, models: models.slice(1, 2) });
    const [result] = await extractFeatures(run);
    expect(result?.quarantined).toEqual([
      { id: 'toy/gone', reason: 'the segment 2.5 to 3 s holds no samples: the recording has 2 s' },
    ]);
    const set = open(run.store, 'random-tiny-wavlm');
    expect(largestError(set.read('toy/part').values, set.read('toy/slice').values)).toBe(0);
    expect(set.read('toy/rest').n).toBe(4);
    const moved = [rows[0] as Utterance].map((row) => ({
      ...row,
      media: { ...row.media, channel: 0 } as never,
    }));
    const [again] = await planFeatures({ ...run, utterances: [...moved, ...rows.slice(1)] });
    expect(again?.rows.map(({ utterance: { id } }) => id)).toEqual(['toy/part']);
  });

  it('writes tokens with the features of text, and says where steps lie in time', async () => {
    const run = options();
    await extractFeatures(run);
    const text = open(run.store, 'random-tiny-roberta');
    const row = text.read('toy/u003');
    const encoded = models[0]?.tokenizer?.encode('I never said that 😀');
    expect(row.tokenIds).toEqual(encoded?.ids);
    expect(row.tokenSpans).toEqual(encoded?.spans);
    expect(text.read('toy/u004').n).toBe(2); // the empty text: its two special tokens
    expect(text.spec).toMatchObject({
      kind: 'text',
      firstSeconds: null,
      stepSeconds: null,
      dtype: 'float16',
    });
    expect(open(run.store, 'random-tiny-wavlm').spec).toMatchObject({
      kind: 'audio',
      firstSeconds: 0.0125,
      stepSeconds: 0.02,
    });
    expect(open(run.store, 'random-tiny-alexnet').spec).toMatchObject({
      kind: 'audio',
      firstSeconds: 31.5 / 128,
      stepSeconds: 0.25,
    });
    const frames = open(run.store, 'random-tiny-wavlm');
    expect(utterances.map(({ id }) => frames.length(id))).toEqual([16, 16, 16, 17, 49, 1, 1, 38, 16, 24]);
    expect(new Set(frames.inputs().values()).size).toBe(10);
    const inputs = text.inputs();
    expect(inputs.get('toy/u000')).toBe(inputs.get('toy/u005')); // one text
  });

  it('quarantines what cannot be read, each with its reason, and goes on', async () => {
    const other = join(folder, 'bad');
    const [good, empty, short, missing, alsoGood] = makeCorpus(other, [6000, 6000, 6000, 6000, 7000]) as [
      Utterance,
      Utterance,
      Utterance,
      Utterance,
      Utterance,
    ];
    const bad = [
      recorded(other, empty, wavBytes(Buffer.alloc(0), { bits: 16 })),
      recorded(other, short, wavBytes(sound('x', 100), { bits: 16, promised: 12_000 })),
    ];
    rmSync(join(other, 'wav/u003.wav'));
    const lost = utterance('toy/u900', { text: 'lost', tags: { media: 'missing' } });
    const run = options({ root: other, utterances: [good, ...bad, missing, alsoGood, lost] });
    const [text, frames, picture] = await extractFeatures(run);
    expect(text).toMatchObject({ computed: 6, quarantined: [] });
    const reasons = [
      { id: 'toy/u001', reason: 'a WAV of 0 samples' },
      { id: 'toy/u002', reason: 'the file ends early: 100 samples are there, its header promises more' },
      { id: 'toy/u003', reason: 'the file is missing' },
      { id: 'toy/u900', reason: 'no media (missing)' },
    ];
    expect(frames).toMatchObject({ computed: 2, quarantined: reasons });
    expect(picture).toMatchObject({ computed: 2, quarantined: reasons });
    expect([...open(run.store, 'random-tiny-wavlm').quarantined().keys()]).toEqual(
      reasons.map(({ id }) => id),
    );

    // Known by now: nothing is tried again unless it is asked for, or mended.
    const again = await extractFeatures(run);
    expect(again[1]).toMatchObject({ computed: 0, done: 2, quarantined: reasons });
    writeFileSync(join(other, 'wav/u003.wav'), wavBytes(sound('u003', 6000), { bits: 16 }));
    const retried = await extractFeatures({ ...run, retryQuarantined: true });
    expect(retried[1]).toMatchObject({ computed: 1, done: 2 });
    expect(retried[1]?.quarantined).toHaveLength(3);
  });

  it('computes again only what has changed', async () => {
    const run = options();
    await extractFeatures(run);
    const idle = await extractFeatures(run);
    expect(idle.map(({ computed, done }) => [computed, done])).toEqual([
      [0, 10],
      [0, 10],
      [0, 10],
    ]);

    const changed = utterances.map((row, i) => {
      if (i === 2) return { ...row, text: 'a corrected transcript' };
      if (i === 4 && row.media !== null) return { ...row, media: { ...row.media, end: 0.5 } };
      return row;
    });
    const plans = await planFeatures({ ...run, utterances: changed });
    expect(plans.map(({ rows, stale }) => [rows.map(({ utterance: row }) => row.id), stale])).toEqual([
      [['toy/u002'], 1],
      [['toy/u004'], 1],
      [['toy/u004'], 1],
    ]);
    const after = await extractFeatures({ ...run, utterances: changed });
    expect(after.map(({ computed, done }) => [computed, done])).toEqual([
      [1, 9],
      [1, 9],
      [1, 9],
    ]);
    expect(open(run.store, 'random-tiny-wavlm').length('toy/u004')).toBe(24);
  });

  it('keeps what is done when it is stopped, and goes on from there', async () => {
    const run = options();
    const controller = new AbortController();
    const progress = (step: Progress): void => {
      if (step.task.includes('wavlm') && step.done >= 4) controller.abort();
    };
    await expect(
      extractFeatures({ ...run, signal: controller.signal, reporter: { ...silent, progress } }),
    ).rejects.toThrow(Interrupted);
    // Both models' rows count, and those of the second follow at once.
    const [, frames = 0, pictures = 0] = (await planFeatures(run)).map(({ done }) => done);
    expect(frames + pictures).toBeGreaterThanOrEqual(4);
    expect(frames).toBeGreaterThan(0);
    expect(frames + pictures).toBeLessThan(20);

    const resumed = await extractFeatures(run);
    expect(resumed.map(({ computed, done }) => [computed, done])).toEqual([
      [0, 10],
      [10 - frames, frames],
      [10 - pictures, pictures],
    ]);
    const undisturbed = options();
    await extractFeatures(undisturbed);
    for (const { name } of models) {
      const a = open(run.store, name);
      const b = open(undisturbed.store, name);
      expect(a.ids().map((id) => a.rowHash(id))).toEqual(b.ids().map((id) => b.rowHash(id)));
    }
    const before = extractFeatures({ ...run, signal: AbortSignal.abort() });
    await expect(before).rejects.toThrow(Interrupted);
    await expect(before).rejects.toThrow('stopped before the first row: the same command goes on');
  });

  it('reads the digest of media that the manifest did not hash', async () => {
    const run = options({ models: models.slice(1, 2) });
    await extractFeatures(run);
    const unhashed = utterances.map((row) => ({
      ...row,
      media: row.media && { ...row.media, sha256: null },
    }));
    const [set] = await extractFeatures({ ...run, utterances: unhashed });
    expect(set).toMatchObject({ computed: 0, done: 10 });
  });

  it('says in one line that ffmpeg is needed and absent, after keeping what it could do', async () => {
    vi.stubEnv('FFMPEG_PATH', '/nowhere/ffmpeg');
    const other = join(folder, 'rates');
    const [one, two] = makeCorpus(other, [6000, 6000]) as [Utterance, Utterance];
    const wide = recorded(other, two, wavBytes(sound('x', 6000), { bits: 16, rate: 24_000 }));
    const run = options({ root: other, utterances: [one, wide] });
    await expect(extractFeatures(run)).rejects.toThrow(UserError);
    await expect(extractFeatures(run)).rejects.toThrow(
      /u001\.wav is not 16 kHz PCM WAV, and no ffmpeg works here \(FFMPEG_PATH=/,
    );
    expect(open(run.store, 'random-tiny-roberta').ids()).toHaveLength(2);
  });

  it('does not mix policies: another one is another feature set', async () => {
    const [one] = await planFeatures(options({ models: models.slice(1, 2) }));
    const policy = { ...DEFAULT_DECODE_POLICY, channels: 'mean' } as const;
    const [two] = await planFeatures(options({ models: models.slice(1, 2), policy }));
    const [wide] = await planFeatures(options({ models: models.slice(1, 2), dtype: 'float32' }));
    expect(new Set([one, two, wide].map((plan) => plan?.spec.fingerprint)).size).toBe(3);
  });

  it('refuses two models of one name', async () => {
    const twice = [models[0] as EncoderModel, models[0] as EncoderModel];
    await expect(extractFeatures(options({ models: twice }))).rejects.toThrow(
      'two models are named random-tiny-roberta',
    );
  });
});

const nemo = sharedData('nemo');

describe.skipIf(nemo === undefined)('extractFeatures on real 24 kHz speech', () => {
  it('decodes with ffmpeg and encodes', async () => {
    const names = ['KD0_neutral_2', 'MK0_anger_8', 'SM0_happiness_2'];
    const rows = names.map((name) =>
      utterance(`nemo/${name}`, {
        dataset: 'nemo',
        text: 'Nie waśńmy się ze sobą.',
        media: { path: `${name}.wav`, sha256: null, seconds: null, sampleRate: null, channels: null },
      }),
    );
    const run = options({ dataset: 'nemo', root: nemo as string, utterances: rows });
    const sets = await extractFeatures(run);
    expect(sets.map(({ computed, quarantined }) => [computed, quarantined])).toEqual([
      [3, []],
      [3, []],
      [3, []],
    ]);
    const frames = openFeatureSet({ stores: [run.store], dataset: 'nemo', feature: 'random-tiny-wavlm' });
    for (const id of frames.ids()) expect(frames.length(id)).toBeGreaterThan(40);
  });
});
