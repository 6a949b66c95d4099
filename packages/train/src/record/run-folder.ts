import { existsSync, readdirSync, readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Json, makeFolder, sha256Hex, UserError, writeFileAtomic } from '@lsgmer/datasets';
import { decodeSafetensors, encodeSafetensors, type Safetensors } from '../fit/safetensors.ts';
import { decodeLabelHistory, type LabelTable } from '../analysis/label-history.ts';
import type { SelectionRule } from '../config/recipe.ts';
import { type EpochRecord, parseEpochs, parseState, type RunState } from './run-state.ts';

/** What a run goes on from. */
export interface Saved {
  readonly state: RunState;
  readonly tensors: Safetensors['tensors'];
  /** Records of the complete epochs. */
  readonly epochs: readonly EpochRecord[];
}

/** What a finished run holds for one selection rule. */
export interface RuleResult {
  readonly rule: SelectionRule;
  readonly head: Safetensors;
  /** Text of the predictions for the test part; undefined where the run has none (a trial of a sweep). */
  readonly predictions: string | undefined;
}

/** Speed of an epoch: recorded beside the metrics, which stay equal from run to run. */
export interface EpochTiming {
  readonly epoch: number;
  /** Time of the epoch's training, evaluation left out, in this process. */
  readonly seconds: number;
  readonly utterancesPerSecond: number;
}

/**
 * runs/<dataset>/<task>/<run id>/: config.json, metrics.jsonl, timing.jsonl, losses.arrow, analysis.arrow, labels.arrow, and for each selection
 * rule a head and the predictions for the test part: head.safetensors and predictions.csv under `last`,
 * head.<rule>.safetensors and predictions.<rule>.csv under the others. While it runs, checkpoint-<updates>.safetensors.
 * state.json is written last of all, so that it never speaks of a file that is not there whole.
 */
export class RunFolder {
  readonly path: string;
  readonly id: string;

  /** @param runs root of all runs */
  constructor(runs: string, dataset: string, task: string, id: string) {
    this.path = join(runs, dataset, task, id);
    this.id = id;
  }

  /** @throws UserError for a damaged state.json */
  state(): RunState | undefined {
    const path = this.file('state.json');
    if (!existsSync(path)) return undefined;
    const state = parseState(readFileSync(path, 'utf8'), path);
    if (state.run !== this.id) {
      throw new UserError(
        `${path}: is of run ${state.run}, not ${this.id}; delete the folder and train again`,
      );
    }
    return state;
  }

  get finished(): boolean {
    return this.state()?.status === 'finished';
  }

  /** Writes config.json: the resolved configuration, identity, coverage and versions. */
  begin(config: Json): void {
    makeFolder(this.path);
    writeFileAtomic(this.file('config.json'), `${JSON.stringify(config, null, 2)}\n`);
  }

  /** Saves a point to go on from: checkpoint, records, state; older checkpoints go after that. */
  save(
    state: Omit<RunState, 'format' | 'run' | 'status' | 'checkpoint'>,
    tensors: Safetensors['tensors'],
    epochs: readonly EpochRecord[],
    labels?: Uint8Array,
  ): void {
    const file = `checkpoint-${state.step}.safetensors`;
    const bytes = encodeSafetensors({ tensors, metadata: { run: this.id, step: String(state.step) } });
    writeFileAtomic(this.file(file), bytes);
    this.writeEpochs(epochs);
    if (labels !== undefined) writeFileAtomic(this.file('labels.arrow'), labels);
    this.writeState({
      format: 2,
      run: this.id,
      status: 'running',
      ...state,
      checkpoint: { file, sha256: sha256Hex(bytes) },
    });
    this.removeCheckpoints(file);
  }

  /**
   * What a run of this id goes on from; undefined where nothing was saved.
   * @throws UserError where the record is damaged
   */
  load(): Saved | undefined {
    const state = this.state();
    if (state?.checkpoint == null) return undefined;
    const path = this.file(state.checkpoint.file);
    const bytes = existsSync(path) ? readFileSync(path) : undefined;
    if (bytes === undefined || sha256Hex(bytes) !== state.checkpoint.sha256) {
      const what = bytes === undefined ? 'is missing' : 'is damaged';
      throw new UserError(`${path}: ${what}; delete ${this.path} and train again`);
    }
    const epochs = this.epochs();
    if (epochs.length < state.epoch)
      throw new UserError(
        `${this.file('metrics.jsonl')}: holds ${epochs.length} of ${state.epoch} epochs; delete ${this.path} and train again`,
      );
    return { state, tensors: decodeSafetensors(bytes).tensors, epochs: epochs.slice(0, state.epoch) };
  }

  /** Writes the result; its last step marks the run as finished. */
  finish(
    result: {
      readonly rules: readonly RuleResult[];
      readonly epochs: readonly EpochRecord[];
      /** losses.arrow */
      readonly losses: Uint8Array;
      readonly analysis?: Uint8Array | undefined;
      readonly labels?: Uint8Array | undefined;
    },
    state: Pick<RunState, 'epoch' | 'step' | 'sums' | 'chosen'>,
  ): void {
    for (const { rule, head, predictions } of result.rules) {
      writeFileAtomic(this.file(ruleFile('head', rule, 'safetensors')), encodeSafetensors(head));
      if (predictions !== undefined)
        writeFileAtomic(this.file(ruleFile('predictions', rule, 'csv')), predictions);
    }
    writeFileAtomic(this.file('losses.arrow'), result.losses);
    if (result.analysis !== undefined) writeFileAtomic(this.file('analysis.arrow'), result.analysis);
    if (result.labels !== undefined) writeFileAtomic(this.file('labels.arrow'), result.labels);
    this.writeEpochs(result.epochs);
    this.writeState({
      format: 2,
      run: this.id,
      status: 'finished',
      ...state,
      position: 0,
      checkpoint: null,
    });
    this.removeCheckpoints();
  }

  addTiming(timings: readonly EpochTiming[]): void {
    writeFileAtomic(this.file('timing.jsonl'), lines(timings));
  }

  /** @throws UserError for a damaged file */
  timings(): EpochTiming[] {
    const path = this.file('timing.jsonl');
    if (!existsSync(path)) return [];
    const text = readFileSync(path, 'utf8').split('\n');
    try {
      return text.filter((line) => line !== '').map((line) => JSON.parse(line) as EpochTiming);
    } catch {
      throw new UserError(`${path}: is damaged; delete it to go on without the times so far`);
    }
  }

  epochs(): EpochRecord[] {
    const path = this.file('metrics.jsonl');
    return existsSync(path) ? parseEpochs(readFileSync(path, 'utf8'), path) : [];
  }

  /** Label tables up to an epoch; none where none were recorded. @throws UserError for a damaged file */
  labelHistory(epoch: number): LabelTable[] {
    const path = this.file('labels.arrow');
    if (!existsSync(path)) return [];
    try {
      return decodeLabelHistory(readFileSync(path)).tables.filter((table) => table.epoch <= epoch);
    } catch (error) {
      const why = (error as Error).message;
      throw new UserError(`${path}: is damaged (${why}); delete it to go on without the labels so far`);
    }
  }

  /**
   * Predictions for the test part under a selection rule.
   * @throws UserError where a finished run lacks them
   */
  predictions(rule: SelectionRule = 'last'): { readonly text: string; readonly path: string } {
    const path = this.file(ruleFile('predictions', rule, 'csv'));
    if (!existsSync(path)) throw new UserError(`${path}: is missing; delete ${this.path} and train again`);
    return { text: readFileSync(path, 'utf8'), path };
  }

  private file(name: string): string {
    return join(this.path, name);
  }

  private writeEpochs(epochs: readonly EpochRecord[]): void {
    writeFileAtomic(this.file('metrics.jsonl'), lines(epochs));
  }

  private writeState(state: RunState): void {
    writeFileAtomic(this.file('state.json'), `${JSON.stringify(state, null, 2)}\n`);
  }

  private removeCheckpoints(except?: string): void {
    for (const name of readdirSync(this.path)) {
      if (/^checkpoint-\d+\.safetensors$/.test(name) && name !== except) unlinkSync(this.file(name));
    }
  }
}

/** `head.safetensors` under `last`, `head.dev.safetensors` under `dev`. */
export function ruleFile(stem: string, rule: SelectionRule, extension: string): string {
  return rule === 'last' ? `${stem}.${extension}` : `${stem}.${rule}.${extension}`;
}

function lines(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}
