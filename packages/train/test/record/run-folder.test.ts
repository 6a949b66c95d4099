import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RunFolder } from '../../src/record/run-folder.ts';
import { type EpochRecord, noSums } from '../../src/record/run-state.ts';

let root: string;
let folder: RunFolder;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lsgmer-run-'));
  folder = new RunFolder(root, 'demo', '4class', '0123456789ab');
  folder.begin({ run: '0123456789ab' });
});
afterEach(() => rmSync(root, { recursive: true }));

const tensors = { parameters: { shape: [3], values: new Float32Array([1, -2, 0.1]) } };
const chosen = { 'oracle-test': { epoch: 1, score: 0.4 } };
const sums = { ...noSums, loss: 0.1 + 0.2, rows: 7 };

function record(epoch: number): EpochRecord {
  return {
    epoch,
    loss: 1 / 3,
    ce: 1.2,
    apc: 0.1,
    trainWa: 0.5,
    gradientNorm: 2.5,
    gate: [0.25, 0.75],
    labelMovement: null,
    labelCosines: [],
    updates: 3,
    utterances: 40,
    lr: 5e-4,
    predicted: [30, 10],
    dev: null,
    test: {
      ce: 0.7,
      wa: 0.5,
      ua: 0.4,
      wf1: 0.3,
      mf1: 0.2,
      confusion: [
        [5, 0],
        [5, 0],
      ],
    },
  };
}

describe('RunFolder', () => {
  it('lies at <runs>/<dataset>/<task>/<run id> and starts unfinished, with nothing to go on from', () => {
    expect(folder.path).toBe(join(root, 'demo', '4class', '0123456789ab'));
    expect([folder.state(), folder.load(), folder.finished]).toEqual([undefined, undefined, false]);
  });

  it('goes on from exactly what was saved', () => {
    folder.save({ epoch: 1, position: 2, step: 5, sums, chosen }, tensors, [record(1)]);
    const saved = folder.load();
    expect(saved?.tensors).toEqual(tensors);
    expect(saved?.epochs).toEqual([record(1)]);
    expect(saved?.state).toMatchObject({ status: 'running', epoch: 1, position: 2, step: 5, sums, chosen });
  });

  it('keeps one checkpoint, and survives a stop between checkpoint and state', () => {
    folder.save({ epoch: 1, position: 0, step: 5, sums: noSums, chosen }, tensors, [record(1)]);
    folder.save({ epoch: 2, position: 0, step: 10, sums: noSums, chosen }, tensors, [record(1), record(2)]);
    expect(readdirSync(folder.path).filter((name) => name.startsWith('checkpoint'))).toEqual([
      'checkpoint-10.safetensors',
    ]);
    // a checkpoint and a metrics line without their state, as a kill would leave them
    writeFileSync(join(folder.path, 'checkpoint-15.safetensors'), 'half');
    const metrics = join(folder.path, 'metrics.jsonl');
    writeFileSync(metrics, `${readFileSync(metrics, 'utf8')}${JSON.stringify(record(3))}\n`);
    expect(folder.load()?.state.step).toBe(10);
    expect(folder.load()?.epochs).toEqual([record(1), record(2)]);
    folder.save({ epoch: 3, position: 0, step: 15, sums: noSums, chosen }, tensors, [
      record(1),
      record(2),
      record(3),
    ]);
    expect(folder.load()?.state.step).toBe(15);
  });

  it('finishes: results are there, checkpoints gone, state last', () => {
    folder.save({ epoch: 2, position: 0, step: 10, sums: noSums, chosen }, tensors, [record(1), record(2)]);
    const head = { tensors: { w: { shape: [1], values: new Float32Array(1) } }, metadata: { epoch: '2' } };
    folder.finish(
      {
        rules: [
          { rule: 'last', head, predictions: 'id\n' },
          { rule: 'dev', head, predictions: 'id,dev\n' },
          { rule: 'oracle-test', head, predictions: 'id,oracle\n' },
        ],
        epochs: [record(1), record(2)],
        losses: new Uint8Array([1, 2]),
      },
      { epoch: 2, step: 10, sums: noSums, chosen: { ...chosen, last: { epoch: 2, score: null } } },
    );
    expect(folder.finished).toBe(true);
    expect(folder.load()).toBeUndefined();
    expect(folder.predictions().text).toBe('id\n');
    expect(folder.predictions('dev').text).toBe('id,dev\n');
    expect(folder.predictions('oracle-test').text).toBe('id,oracle\n');
    expect(folder.state()?.chosen).toEqual({ ...chosen, last: { epoch: 2, score: null } });
    expect(readdirSync(folder.path).sort()).toEqual([
      'config.json',
      'head.dev.safetensors',
      'head.oracle-test.safetensors',
      'head.safetensors',
      'losses.arrow',
      'metrics.jsonl',
      'predictions.csv',
      'predictions.dev.csv',
      'predictions.oracle-test.csv',
      'state.json',
    ]);
  });

  it('names a damaged state, a damaged or missing checkpoint, and a foreign state', () => {
    folder.save({ epoch: 1, position: 0, step: 5, sums: noSums, chosen }, tensors, [record(1)]);
    const state = join(folder.path, 'state.json');
    const checkpoint = join(folder.path, 'checkpoint-5.safetensors');
    const text = readFileSync(state, 'utf8');
    const bytes = readFileSync(checkpoint);
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    writeFileSync(checkpoint, bytes);
    expect(() => folder.load()).toThrow('checkpoint-5.safetensors: is damaged; delete');
    rmSync(checkpoint);
    expect(() => folder.load()).toThrow('checkpoint-5.safetensors: is missing; delete');
    writeFileSync(state, text.slice(0, 40));
    expect(() => folder.state()).toThrow('state.json: damaged run record; delete its folder and train again');
    writeFileSync(state, text.replace('0123456789ab', 'ba9876543210'));
    expect(() => folder.state()).toThrow('is of run ba9876543210, not 0123456789ab');
  });

  it('names epochs that are missing, and damaged times', () => {
    folder.save({ epoch: 2, position: 0, step: 5, sums: noSums, chosen }, tensors, [record(1), record(2)]);
    const metrics = join(folder.path, 'metrics.jsonl');
    writeFileSync(metrics, `${JSON.stringify(record(1))}\n`);
    expect(() => folder.load()).toThrow(
      `metrics.jsonl: holds 1 of 2 epochs; delete ${folder.path} and train again`,
    );
    rmSync(metrics);
    expect(() => folder.load()).toThrow('metrics.jsonl: holds 0 of 2 epochs');
    writeFileSync(join(folder.path, 'timing.jsonl'), '{"epoch":1,"seconds":2}\n{"epoch":2,"sec');
    expect(() => folder.timings()).toThrow('timing.jsonl: is damaged; delete it to go on');
  });
});
