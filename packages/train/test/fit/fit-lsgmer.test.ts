import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Interrupted, silent } from '@lsgmer/datasets';
import { decodeAnalysis } from '../../src/analysis/analysis-file.ts';
import { decodeLabelHistory } from '../../src/analysis/label-history.ts';
import { configure } from '../../src/config/configuration.ts';
import { onnxEngine } from '../../src/engine/factories.ts';
import { runExperiment } from '../../src/experiment/experiment.ts';
import { planExperiment } from '../../src/experiment/plan.ts';
import type { EngineFactory } from '../../src/experiment/request.ts';
import { decodeSafetensors } from '../../src/fit/safetensors.ts';
import type { OptionValue } from '../../src/head/contract.ts';
import { parseEpochs } from '../../src/record/run-state.ts';
import { lsgmer } from '../../src/head/lsgmer.ts';
import { decodePredictions } from '../../src/record/predictions.ts';
import { MemorySource, utterances } from '../support/memory-source.ts';
import { tinyRequest } from '../support/tiny-experiment.ts';

const rows = utterances(40, 3);
const ids = rows.map((row) => row.id);
const sources = {
  text: new MemorySource('text', 6, ids, [2, 9]),
  audio: new MemorySource('audio', 5, ids, [8, 60], 0.0125, 0.02),
  map: new MemorySource('map', 14, ids, [1, 5], 0.25, 0.25),
};
const folds = [{ id: 'a', train: ids.slice(0, 30), dev: [], test: ids.slice(30) }];

let root: string;
let engine: EngineFactory;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'lsgmer-fit-'));
  engine = await onnxEngine({ device: 'cpu', threads: 1 });
});
afterEach(() => rmSync(root, { recursive: true }));

async function run(
  runs: string,
  set: { [key: string]: OptionValue } = {},
  signal?: AbortSignal,
  now = () => 0,
  analysis = true,
) {
  const base = { epochs: 3, 'batch.size': 8, 'batch.shapes': 2, d: 8, heads: 2, 'classifier.dropout': 0.2 };
  const configuration = configure(lsgmer, [{ from: 'test', set: { ...base, lr: 0.01, ...set } }]);
  const request = {
    ...tinyRequest(runs, { rows, folds, sources, engine }),
    head: lsgmer,
    analysis,
    variants: [{ name: 'full', configuration }],
  };
  return runExperiment(planExperiment(request), { reporter: silent, signal, now });
}

function resultOf(runs: string): { [name: string]: Buffer } {
  const [id] = readdirSync(join(runs, 'demo', '3class'));
  const read = (name: string) => [name, readFileSync(join(runs, 'demo', '3class', id as string, name))];
  return Object.fromEntries(
    [
      'head.safetensors',
      'metrics.jsonl',
      'predictions.csv',
      'state.json',
      'analysis.arrow',
      'labels.arrow',
    ].map(read),
  ) as {
    [name: string]: Buffer;
  };
}

describe('fit of the LSGMER head on the traced engine', () => {
  it('gives equal bits again, and when stopped and resumed', async () => {
    await run(join(root, 'a'));
    await run(join(root, 'b'));
    expect(resultOf(join(root, 'b'))).toEqual(resultOf(join(root, 'a')));
    const records = parseEpochs((resultOf(join(root, 'a'))['metrics.jsonl'] as Buffer).toString(), 'a');
    for (const { gate } of records) {
      expect(gate?.every((weight) => weight > 0.05 && weight < 0.95)).toBe(true);
      expect((gate?.[0] as number) + (gate?.[1] as number)).toBeCloseTo(1, 6);
    }
    // the clock is read at the start of each epoch: the stop comes in the second one
    const controller = new AbortController();
    let reads = 0;
    const now = (): number => {
      if (++reads === 4) controller.abort();
      return 0;
    };
    await expect(run(join(root, 'c'), {}, controller.signal, now)).rejects.toThrow(Interrupted);
    await run(join(root, 'c'));
    expect(resultOf(join(root, 'c'))).toEqual(resultOf(join(root, 'a')));
  });

  it('leaves what it looked at, and its labels by epoch; switched off, it leaves the same numbers without', async () => {
    await run(join(root, 'a'));
    const files = resultOf(join(root, 'a'));
    const { rows: looked } = decodeAnalysis(files['analysis.arrow'] as Buffer);
    const said = decodePredictions(
      (files['predictions.csv'] as Buffer).toString(),
      ['angry', 'happy', 'sad'],
      '',
    );
    expect(looked.map(({ id, label, prediction }) => ({ id, label, prediction }))).toEqual(
      said.map(({ id, label, prediction }) => ({ id, label, prediction })),
    );
    for (const row of looked) {
      expect(row.tokens).toBe(sources.text.length(row.id));
      expect(row.frames).toBe(sources.audio.length(row.id));
      expect(row.textLabel.values.length).toBe(3 * row.tokens);
      expect(row.audioCross.values.length).toBe(row.frames);
    }
    const { tables } = decodeLabelHistory(files['labels.arrow'] as Buffer);
    expect(tables.map((table) => [table.epoch, table.name])).toEqual([0, 1, 2, 3].map((k) => [k, 'shared']));
    const { tensors } = decodeSafetensors(files['head.safetensors'] as Buffer);
    expect(tables[3]?.values).toEqual(tensors['label.table']?.values);
    expect(tables[2]?.values).not.toEqual(tables[3]?.values);

    await run(join(root, 'b'), {}, undefined, undefined, false);
    const [id] = readdirSync(join(root, 'b', 'demo', '3class'));
    const names = readdirSync(join(root, 'b', 'demo', '3class', id as string));
    expect(names.filter((name) => name.endsWith('.arrow'))).toEqual(['losses.arrow']);
    expect(readFileSync(join(root, 'b', 'demo', '3class', id as string, 'head.safetensors'))).toEqual(
      files['head.safetensors'],
    );
  });

  it('accumulates micro-batches to the same update', async () => {
    await run(join(root, 'a'), { epochs: 1 });
    await run(join(root, 'b'), { epochs: 1, 'batch.frames': 130 });
    const tensors = (name: string) =>
      decodeSafetensors(resultOf(join(root, name))['head.safetensors'] as Buffer).tensors;
    const parts = tensors('b');
    for (const [name, { values }] of Object.entries(tensors('a'))) {
      values.forEach((x, i) =>
        expect(Math.abs(x - (parts[name]?.values[i] as number)), name).toBeLessThan(1e-4),
      );
    }
  });
});
