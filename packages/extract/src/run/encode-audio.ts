import type { Reporter } from '@lsgmer/datasets';
import type { Decoded } from '../decode/ffmpeg.ts';
import type { ClipWindow, ClipWindows } from './clip-windows.ts';
import { Flow } from './flow.ts';
import { groupByKey } from './group.ts';
import type { ModelRow, ModelRun, PreparedRow } from './model-run.ts';
import { RunProgress } from './progress.ts';

/**
 * Recordings that are handed to the encoder together. On a GPU such a batch keeps a large model busy; on a CPU they are encoded
 * one by one, and a run that is stopped loses what it had in hand. Seconds.
 */
const BATCH = {
  gpu: { rows: 16, seconds: 60 },
  cpu: { rows: 8, seconds: 10 },
};

/** Encodes each recording, as it comes decoded, for every model whose sets lack it. */
export async function encodeRecordings(
  runs: readonly ModelRun[],
  windows: ClipWindows,
  reporter: Reporter,
  signal?: AbortSignal,
): Promise<void> {
  const wanted = new Map(runs.map((run) => [run, new Map(run.rows.map((row) => [row.order, row]))]));
  const seconds = new Map(windows.clips.map((clip) => [clip.order, clip.seconds]));
  let [rows, total] = [0, 0];
  for (const run of runs) {
    rows += run.rows.length;
    for (const { order } of run.rows) total += seconds.get(order) ?? 0;
  }
  const names = runs.map(({ model }) => model.name).join(', ');
  const progress = new RunProgress(reporter, names, rows, { total, unit: 'audio s' });
  const flow = new Flow(Math.max(1, ...runs.map(({ inFlight }) => inFlight)));
  for await (const window of windows)
    for (const run of runs) {
      const batches = await batchesOf(run, wanted.get(run) as Map<number, ModelRow>, window, progress);
      await flow.begin(
        batches.map((batch) => async () => {
          signal?.throwIfAborted();
          const lost = await run.encode(batch);
          progress.add(
            batch.length,
            batch.reduce((sum, { seconds }) => sum + seconds, 0),
            lost,
          );
        }),
      );
    }
  await flow.end();
}

type PreparedClip = PreparedRow & { readonly seconds: number };

/** What a model's sets lack of a window, in batches; recordings that could not be decoded are set aside. */
async function batchesOf(
  run: ModelRun,
  wanted: ReadonlyMap<number, ModelRow>,
  { clips, decoded }: ClipWindow,
  progress: RunProgress,
): Promise<PreparedClip[][]> {
  const prepared: PreparedClip[] = [];
  for (const [i, { order, seconds }] of clips.entries()) {
    const row = wanted.get(order);
    if (row === undefined) continue;
    const result = decoded[i] as Decoded;
    if ('samples' in result) {
      prepared.push({ row, input: result.samples, seconds });
      continue;
    }
    await run.quarantine(row, result.reason);
    progress.add(1, seconds, 1);
  }
  const length = ({ input }: PreparedRow): number => input.length;
  const most = run.device === 'cpu' ? BATCH.cpu : BATCH.gpu;
  const limits = { rows: most.rows, length: most.seconds * (run.model.form.sampleRate ?? 0) };
  return groupByKey(prepared, (row) => run.model.form.batchKey(length(row)), length, limits);
}
