// Run folders, manifest and token spans as the trainer and the extractor leave them, of any size: for tests and claims.
// Numbers come from a seeded generator; nothing is trained.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  digestJson,
  encodeWav,
  fingerprintOf,
  openFeatureSetWriter,
  Rng,
  sha256Hex,
  writeManifest,
} from '@lsgmer/datasets';
import {
  encodeAnalysis,
  encodeLabelHistory,
  encodePredictions,
  noSums,
  NUMERICS_VERSION,
  score,
} from '@lsgmer/train';

export const CLASSES = ['angry', 'happy', 'sad', 'neutral'];
/** Right answers in a hundred, by variant; others have 60. */
const RIGHT = { full: 75, 'no-ma': 74, 'no-joo': 73, 'no-lsma-joo': 70 };
const SETTINGS = {
  full: {},
  'no-ma': { 'ma.alpha': 0 },
  'no-joo': { 'loss.apc': 0 },
  'no-lsma-joo': { 'label.attention': false, 'loss.apc': 0 },
};

const COMPUTATION = { encoder: 'made', weights: '0' };

export function makeRuns(options) {
  const {
    runs,
    store,
    dataset = 'made',
    utterances = 60,
    folds = 2,
    seeds = [1, 2],
    variants = ['full', 'no-lsma-joo'],
    d = 8,
    tokens = 6,
    frames = 20,
    epochs = 4,
    dev = true,
    card: cardChanges = {},
    textOf = (i) => `Utterance number ${i} has words`,
    missing = [],
    skip = () => undefined,
    audioFingerprint = () => 'c'.repeat(64),
    audioRoot,
  } = options;
  const foldNames = Array.from({ length: folds }, (_, f) => `Ses${String(f + 1).padStart(2, '0')}`);
  const rows = Array.from({ length: utterances }, (_, i) => {
    const session = foldNames[i % folds];
    const text = textOf(i);
    return {
      id: `${dataset}/${session}/u${String(i).padStart(5, '0')}`,
      dataset,
      split: null,
      session,
      dialogue: `${session}_d${Math.floor(i / (10 * folds))}`,
      turn: i,
      speaker: `s${i % (2 * folds)}`,
      rawLabel: CLASSES[Math.floor(i / folds) % CLASSES.length],
      annotations: [],
      text,
      rawText: text,
      textSource: 'corpus',
      media: {
        path: `wav/u${i}.wav`,
        sha256: null,
        seconds: frames / 50,
        sampleRate: 16_000,
        channels: 1,
      },
      tags: {},
    };
  });
  const card = {
    name: dataset,
    title: 'Made corpus',
    adapter: 'table',
    synthetic: true,
    paper: null,
    licence: 'none needed',
    restricted: false,
    layout: [],
    tasks: [
      {
        name: '4class',
        description: 'four classes',
        classes: CLASSES.map((name) => ({ name, labels: [name] })),
        protocol: { kind: 'leave-one-session-out' },
        metric: 'ua',
      },
    ],
    ...cardChanges,
  };
  if (store !== undefined) {
    writeManifest(store, { card, utterances: rows, options: {}, tool: 'test' });
    writeTokens(store, dataset, rows, tokens);
  }
  if (audioRoot !== undefined) {
    mkdirSync(join(audioRoot, 'wav'), { recursive: true });
    for (const [i] of rows.entries()) {
      const samples = Float32Array.from(
        { length: 320 * frames },
        (_, t) => 0.5 * Math.sin((2 * Math.PI * (220 + i) * t) / 16_000),
      );
      writeFileSync(join(audioRoot, `wav/u${i}.wav`), encodeWav(samples, 16_000));
    }
  }
  for (const variant of variants)
    for (const seed of seeds)
      for (const fold of foldNames) {
        const made = {
          runs,
          dataset,
          variant,
          seed,
          fold,
          foldNames,
          d,
          tokens,
          frames,
          epochs,
          dev,
          audioFingerprint,
        };
        writeRun(
          { ...made, skipped: skip({ variant, seed, fold }), missing },
          rows.filter((row) => row.session === fold),
        );
      }
  return { card, utterances: rows };
}

const FINGERPRINT = fingerprintOf(COMPUTATION);

/** One token a word, as a tokenizer would cut them, between two special ones. */
function writeTokens(store, dataset, rows, tokens) {
  const spec = {
    format: 1,
    dataset,
    feature: 'made-text',
    fingerprint: FINGERPRINT,
    kind: 'text',
    dim: 1,
    dtype: 'float16',
    firstSeconds: null,
    stepSeconds: null,
    computation: COMPUTATION,
    provenance: {},
  };
  const writer = openFeatureSetWriter({ store, spec, part: 'main' });
  for (const { id, text } of rows) {
    const spans = [0, 0];
    for (const match of text.matchAll(/\S+/g))
      if (spans.length < 2 * (tokens - 1)) spans.push(match.index, match.index + match[0].length);
    while (spans.length < 2 * tokens) spans.push(0, 0);
    writer.append({
      id,
      split: null,
      n: tokens,
      features: new Float32Array(tokens),
      tokenIds: Int32Array.from({ length: tokens }, (_, i) => i),
      tokenSpans: Int32Array.from(spans),
      input: sha256Hex(text),
    });
  }
  writer.close();
}

function writeRun(made, rows) {
  const { runs, dataset, variant, seed, fold, foldNames, d, epochs, dev, skipped, missing } = made;
  if (skipped === 'absent') return;
  const identity = {
    dataset,
    task: '4class',
    classes: CLASSES,
    fold,
    seed,
    head: 'lsgmer',
    config: {
      epochs,
      modality: 'both',
      'ma.alpha': 0.99,
      'ma.every': 'epoch',
      'ma.role': 'reset',
      'label.attention': true,
      'label.query': 'labels',
      'cross.residual': 'none',
      'loss.apc': 0.05,
      ...SETTINGS[variant],
    },
    features: {
      text: { feature: 'made-text', fingerprint: FINGERPRINT, rows: 'b'.repeat(64) },
      audio: {
        feature: 'random-tiny-made',
        fingerprint: made.audioFingerprint(variant),
        rows: 'd'.repeat(64),
      },
    },
    metric: 'ua',
    utterances: digestJson([fold]),
    engine: 'onnx',
    device: 'cpu',
    numerics: skipped === 'stale' ? NUMERICS_VERSION - 1 : NUMERICS_VERSION,
  };
  const id = digestJson(identity).slice(0, 12);
  const folder = join(runs, dataset, '4class', id);
  mkdirSync(folder, { recursive: true });
  const write = (name, content) =>
    writeFileSync(
      join(folder, name),
      typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content),
    );
  const scored = rows.filter((row) => !missing.includes(row.id));
  const lacking = rows
    .filter((row) => missing.includes(row.id))
    .map((row) => ({ id: row.id, reason: 'no recording' }));
  write('config.json', {
    run: id,
    variant,
    identity,
    coverage: {
      expected: skipped === 'trial' ? 0 : rows.length,
      missingTest: lacking,
      missingTrain: [],
      missingDev: [],
    },
    protocol: { name: 'leave one session out', speakerDependent: false, where: null },
    folds: foldNames,
    environment: {},
  });
  const unfinished = skipped === 'unfinished';
  write('state.json', {
    format: 2,
    run: id,
    status: unfinished ? 'running' : 'finished',
    epoch: unfinished ? 1 : epochs,
    position: 0,
    step: epochs,
    sums: noSums,
    chosen: {},
    checkpoint: unfinished ? { file: 'checkpoint-1.safetensors', sha256: '0'.repeat(64) } : null,
  });
  if (unfinished || skipped === 'trial') return;
  const rng = Rng.for('made', variant, seed, fold);
  const last = predict(rng, scored, RIGHT[variant] ?? 60);
  write('predictions.csv', encodePredictions(last, fold, CLASSES));
  write(
    'predictions.oracle-test.csv',
    encodePredictions(predict(rng, scored, (RIGHT[variant] ?? 60) + 5), fold, CLASSES),
  );
  if (dev)
    write(
      'predictions.dev.csv',
      encodePredictions(predict(rng, scored, (RIGHT[variant] ?? 60) + 1), fold, CLASSES),
    );
  write(
    'metrics.jsonl',
    epochRecords(rng, epochs, last, dev)
      .map((line) => `${JSON.stringify(line)}\n`)
      .join(''),
  );
  const about = { run: id, rule: 'last', classes: CLASSES };
  write(
    'analysis.arrow',
    encodeAnalysis(
      scored.map((row, i) => analysisRow(rng, made, row, last[i])),
      about,
    ),
  );
  if (identity.config['label.attention'])
    write('labels.arrow', encodeLabelHistory(labelTables(rng, d, epochs), about));
}

function predict(rng, rows, right) {
  return rows.map((row) => {
    const label = CLASSES.indexOf(row.rawLabel);
    const prediction =
      rng.int(100) < right ? label : (label + 1 + rng.int(CLASSES.length - 1)) % CLASSES.length;
    const top = 0.4 + 0.6 * rng.uniform();
    const probabilities = CLASSES.map((_, k) => (k === prediction ? top : (1 - top) / (CLASSES.length - 1)));
    return { id: row.id, label, prediction, probabilities };
  });
}

function epochRecords(rng, epochs, predictions, dev) {
  const { wa, ua, wf1, mf1, confusion } = score(
    predictions.map((one) => one.label),
    predictions.map((one) => one.prediction),
    CLASSES.length,
  );
  return Array.from({ length: epochs }, (_, e) => {
    const share = (e + 1) / epochs;
    const part = {
      wa: wa * share,
      ua: ua * share,
      wf1: wf1 * share,
      mf1: mf1 * share,
      ce: 2 - share,
      confusion,
    };
    return {
      epoch: e + 1,
      loss: 1.4 - share + 0.05 * rng.uniform(),
      ce: 1.4 - share,
      apc: 0.01 * share,
      trainWa: 0.3 + 0.5 * share,
      gradientNorm: 1 + rng.uniform(),
      gate: [0.6, 0.4],
      labelMovement: 0.05,
      labelCosines: CLASSES.map(() => 1),
      lr: 0.001,
      updates: 10,
      utterances: 100,
      predicted: CLASSES.map(() => 25),
      dev: dev ? part : null,
      test: part,
    };
  });
}

function analysisRow(rng, { variant, d, tokens, frames, fold }, row, { label, prediction }) {
  const guided = variant !== 'no-lsma-joo';
  const bytes = (n) => Uint8Array.from({ length: n }, (_, i) => (i % 7 === 3 ? 255 : rng.int(200)));
  const none = { values: new Uint8Array(0), max: new Float32Array(0) };
  const rowsOf = (n) =>
    guided ? { values: bytes(CLASSES.length * n), max: new Float32Array(CLASSES.length).fill(0.2) } : none;
  const audio = rng.uniform();
  return {
    id: row.id,
    fold,
    label,
    prediction,
    tokens,
    frames,
    fused: Float32Array.from({ length: d }, (_, k) => rng.normal() + (k === label ? 3 : 0)),
    gate: Float32Array.of(audio, 1 - audio),
    textLabel: rowsOf(tokens),
    audioLabel: rowsOf(frames),
    textCross: { values: bytes(tokens), max: Float32Array.of(0.3) },
    audioCross: { values: bytes(frames), max: Float32Array.of(0.1) },
  };
}

function labelTables(rng, d, epochs) {
  let values = rng.normals(CLASSES.length * d);
  return Array.from({ length: epochs + 1 }, (_, epoch) => {
    if (epoch > 0) values = values.map((x) => x + 0.01 * rng.normal());
    return { epoch, name: 'shared', values };
  });
}
