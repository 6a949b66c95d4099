import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Card, Reporter, Utterance } from '@lsgmer/datasets';
import { afterAll } from 'vitest';
import { gatherReport, type ReportAsk, type ReportData } from '../../src/gather/report-data.ts';
import { type MadeRuns, makeRuns } from './made-runs.mjs';

const folders: string[] = [];
// Here, where the file is collected: a hook that a running test adds is never called.
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that goes when the file's tests are done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lsgmer-report-'));
  folders.push(folder);
  return folder;
}

export interface MadeReport {
  readonly folder: string;
  readonly store: string;
  readonly card: Card;
  readonly utterances: readonly Utterance[];
  readonly gather: (ask?: Partial<ReportAsk>) => ReportData;
}

/** Runs in a folder of their own, and what a report gathers from them. */
export function madeReport(options: Partial<MadeRuns> = {}): MadeReport {
  const folder = temporaryFolder();
  const [runs, store] = [join(folder, 'runs'), join(folder, 'store')];
  const { card, utterances } = makeRuns({ runs, store, ...options });
  return {
    folder,
    store,
    card,
    utterances,
    gather: (ask = {}) =>
      gatherReport({ runs, card, utterances, select: 'last', missing: 'drop', seed: 1, ...ask }),
  };
}

/** Keeps what is said. */
export function listening(): Reporter & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    info: (line) => void lines.push(line),
    warn: (line) => void lines.push(line),
    progress: () => {},
  };
}
