import type { Reporter, Utterance } from '@lsgmer/datasets';
import pLimit from 'p-limit';
import { type DecodeOptions, decodeClips } from '../decode/decode.ts';
import type { Decoded } from '../decode/ffmpeg.ts';
import { type Clip, SAMPLE_RATE } from '../decode/policy.ts';
import { groupByKey, windowsOf } from './group.ts';
import { mediaPath } from './input-digest.ts';
import type { ModelRow, ModelRun, PreparedRow } from './model-run.ts';
import { RunProgress } from './set-run.ts';

/**
 * Clips that are decoded, and sorted into batches of equal length, together: the encoder waits for the first
 * window, and two of them, 50 MB of samples at most, are in memory.
 */
const WINDOW = { rows: 96, seconds: 400 };
/** On a CPU batches gain little; on a GPU a batch of this size keeps a large model busy. */
const BATCH = { rows: 16, length: 60 * SAMPLE_RATE };
const IN_FLIGHT = 2;
/** Seconds of a clip whose length the manifest does not know. */
const GUESSED_SECONDS = 5;

/** One recording that sets of some models still lack. */
interface Wanted {
  readonly utterance: Utterance;
  readonly by: readonly { readonly run: ModelRun; readonly row: ModelRow }[];
}

/** Decodes each recording once, the next window while this one is encoded, and encodes it for every model whose sets lack it. */
export async function encodeRecordings(
  runs: readonly ModelRun[],
  root: string,
  decode: DecodeOptions,
  reporter: Reporter,
): Promise<void> {
  const total = runs.reduce((sum, { rows }) => sum + rows.length, 0);
  const progress = new RunProgress(reporter, runs.map(({ model }) => model.name).join(', '), total);
  const windows = windowsOf(unite(runs), ({ utterance }) => secondsOf(utterance, decode), WINDOW);
  let ahead = windows[0] === undefined ? undefined : decodeWindow(windows[0], root, decode);
  for (const [i, window] of windows.entries()) {
    const decoded = await (ahead as Promise<Decoded[]>);
    const next = windows[i + 1];
    ahead = next === undefined ? undefined : decodeWindow(next, root, decode);
    // Should encoding fail first, the failure of the other is not reported as unhandled.
    ahead?.catch(() => {});
    for (const run of runs) await encodeWindow(run, window, decoded, progress, decode.signal);
  }
}

/** In the order of the manifest, as each set's rows are. */
function unite(runs: readonly ModelRun[]): Wanted[] {
  const wanted = new Map<
    string,
    { utterance: Utterance; by: { run: ModelRun; row: ModelRow }[]; at: number }
  >();
  for (const run of runs) {
    run.rows.forEach((row) => {
      const known = wanted.get(row.utterance.id);
      if (known === undefined)
        wanted.set(row.utterance.id, { utterance: row.utterance, by: [{ run, row }], at: row.order });
      else known.by.push({ run, row });
    });
  }
  return [...wanted.values()].sort((a, b) => a.at - b.at);
}

function secondsOf({ media }: Utterance, { policy }: DecodeOptions): number {
  return media === null ? 0 : Math.min(media.seconds ?? GUESSED_SECONDS, policy.length.maxSeconds);
}

/** Rows without media come out with that as their reason. */
async function decodeWindow(
  window: readonly Wanted[],
  root: string,
  options: DecodeOptions,
): Promise<Decoded[]> {
  const clips = window.map(({ utterance }) => clipOf(utterance, root));
  const there = clips.filter((clip) => clip !== undefined);
  const decoded = await decodeClips(there, options);
  let at = 0;
  return clips.map((clip, i) => {
    if (clip !== undefined) return decoded[at++] as Decoded;
    const why = (window[i] as Wanted).utterance.tags['media'];
    return { reason: why === undefined ? 'no media' : `no media (${why})` };
  });
}

function clipOf({ media }: Utterance, root: string): Clip | undefined {
  if (media === null) return undefined;
  return {
    path: mediaPath(root, media),
    ...(media.start === undefined ? {} : { start: media.start }),
    ...(media.end === undefined ? {} : { end: media.end }),
    ...(media.channel === undefined ? {} : { channel: media.channel }),
  };
}

async function encodeWindow(
  run: ModelRun,
  window: readonly Wanted[],
  decoded: readonly Decoded[],
  progress: RunProgress,
  signal: AbortSignal | undefined,
): Promise<void> {
  const prepared: PreparedRow[] = [];
  window.forEach(({ by }, i) => {
    const row = by.find((entry) => entry.run === run)?.row;
    if (row === undefined) return;
    const result = decoded[i] as Decoded;
    if ('samples' in result) {
      prepared.push({ row, input: result.samples });
      return;
    }
    run.quarantine(row, result.reason);
    progress.add(1, 1);
  });
  const length = ({ input }: PreparedRow): number => input.length;
  const batches = groupByKey(prepared, (row) => run.model.form.batchKey(length(row)), length, BATCH);
  const limit = pLimit(IN_FLIGHT);
  await Promise.all(
    batches.map((batch) =>
      limit(async () => {
        signal?.throwIfAborted();
        progress.add(batch.length, await run.encode(batch));
      }),
    ),
  );
}
